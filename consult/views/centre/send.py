"""A case on its way: what is missing, to which clinic, and once more."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import event
from accounts.gates import AtCentre, health_worker_only
from accounts.models import AuditEvent, Speciality
from consult import actions
from consult.fetch import (
    CENTRES_DRAFT,
    centres_consultation,
    centres_draft,
    linked_to_centre,
    with_session,
)
from consult.forms import SendForm
from consult.models import Consultation
from consult.of_consultation import ATTACHMENTS, OBSERVATIONS
from consult.readiness import Attested, obstacles
from consult.readings import readings_of
from consult.views.centre.stands import stands
from consult.views.patient.booking import why_no_token
from esanjeevani.sql.composed import together
from queues.actions import AlreadyWaiting, NoToken
from queues.assignment import Choice, choose, linked_clinics, links_of
from queues.counts import Counts, count_linked
from queues.models import Clinic, MoveRefused

YES = Attested(consent_given=True, patient_is_present=True)


@require_http_methods(["GET", "POST"])
@with_session(CENTRES_DRAFT, links_of)
@health_worker_only
def send(request: AtCentre, consultation: UUID) -> HttpResponse:
    """Where to, what is still in the way, the consent, and the case is on its way."""
    found = centres_draft(request, consultation)
    if found.state != Consultation.State.DRAFT:  # double click, or the back button
        return redirect("consult:centre_visit", consultation=found.uid)
    clinics = linked_to_centre(request)
    if request.method != "POST":
        return _untyped_page(request, found, clinics)
    asked = _asked(request, found, clinics)
    form = _form(found, _of(asked, clinics), request.POST)
    page = partial(_page, request, found, asked, clinics, form)
    if not form.is_valid() or form.cleaned_data["clinic"] is None:
        refused = [_no_clinic(request)] if "clinic" in form.errors or form.is_valid() else []
        return page(422, refused)
    try:
        sent = actions.send_case(draft=found, sending=_sending(request, form), by=request.user)
    except (actions.NotReady, NoToken) as error:
        return page(409 if isinstance(error, NoToken) else 422, why_not_sent(error))
    except (actions.AlreadySent, AlreadyWaiting):
        return _already_sent(request, found)
    return redirect("consult:centre_visit", consultation=sent.uid)


def _form(draft: Consultation, clinics: list[Clinic], *typed: Any, **more: Any) -> SendForm:
    return SendForm(
        *typed,
        clinics=clinics,
        patients_phone=draft.patient.account.phone,
        centres_phone=draft.facility.phone if draft.facility else "",
        **more,
    )


def _no_clinic(request: AtCentre) -> str:
    """None was chosen, or the link to it ended since the page was shown."""
    return why_not_ready("no_link") if request.POST.get("clinic") else _("Choose a clinic.")


def _asked(request: AtCentre, draft: Consultation, clinics: list[Clinic]) -> Speciality | None:
    """The speciality asked for, of the linked clinics."""
    specialities = {clinic.speciality_id: clinic.speciality for clinic in clinics}
    wanted = request.POST.get("speciality") or request.GET.get("speciality", "")
    suggested = draft.continues.suggested_clinic if draft.continues else None
    first = specialities.get((suggested or draft.clinic).speciality_id)
    asked = next((one for one in specialities.values() if one.code == wanted), first)
    return asked or next(iter(specialities.values()), None)


def _of(speciality: Speciality | None, clinics: list[Clinic]) -> list[Clinic]:
    return [one for one in clinics if speciality and one.speciality_id == speciality.pk]


def _choice(
    request: AtCentre,
    draft: Consultation,
    speciality: Speciality | None,
    on: list[Clinic],
    counts: dict[int, Counts],
) -> Choice:
    if speciality is None:
        return Choice(None, [])
    spoke, patient = request.facility, draft.patient
    return choose(spoke=spoke, speciality=speciality, patient=patient, on=on, counts=counts)


def _sending(request: AtCentre, form: SendForm) -> actions.Sending:
    """The clinic proposed is the one that the page showed, whoever is fastest by now."""
    said = form.cleaned_data
    shown = form.clinics.get(request.POST.get("proposed", ""))
    return actions.Sending(
        clinic=said["clinic"],
        proposed=shown,
        said=Attested(consent_given=said["consent"], patient_is_present=said["is_present"]),
        because=said["because"],
        is_written="in_writing" in request.POST,
        language=get_language() or "en",
        how=said["how"],
        phone=said["phone"],
    )


def _untyped_page(request: AtCentre, draft: Consultation, clinics: list[Clinic]) -> HttpResponse:
    seen = event("case.read", draft, by=request.user, patient=draft.patient)
    return _page(request, draft, _asked(request, draft, clinics), clinics, seen=seen)


def _page(
    request: AtCentre,
    draft: Consultation,
    asked: Speciality | None,
    clinics: list[Clinic],
    form: SendForm | None = None,
    status: int = 200,
    refused: list[str] | None = None,
    seen: AuditEvent | None = None,
) -> HttpResponse:
    measured, counts = together(
        OBSERVATIONS.asked(seen, consultation=draft.pk),
        count_linked(request.facility.pk, draft.patient),
    )
    there = _of(asked, clinics)
    choice = _choice(request, draft, asked, there, counts)
    first = choice.everywhere[0].clinic if choice.everywhere else None
    form = form or _form(draft, there, initial={"clinic": first.uid if first else ""})
    waiting_for = obstacles(draft, first, YES, measured) if first and status == 200 else []
    context: dict[str, Any] = {
        "consultation": draft,
        "patient": draft.patient,
        "facility": request.facility,
        "form": form,
        "asked": asked,
        "specialities": _specialities(clinics),
        "choice": choice,
        "clinics": [(one, stands(one)) for one in choice.everywhere],
        "chosen": str(form["clinic"].value() or ""),
        "refused": refused or [],
        "waiting_for": [why_not_ready(code) for code in waiting_for],
        "readings": readings_of(measured, draft.patient),
        "attachments": ATTACHMENTS.of(draft),
    }
    return render(request, "consult/centre/send.html", context, status=status)


def _specialities(clinics: list[Clinic]) -> list[Speciality]:
    """General practice first."""
    found = {clinic.speciality_id: clinic.speciality for clinic in clinics}
    return sorted(found.values(), key=lambda one: (not one.is_general, one.local_name))


def _already_sent(request: AtCentre, draft: Consultation) -> HttpResponse:
    """By the other click, or by a colleague with a case of their own."""
    there = actions.open_at_centre(draft)
    draft.refresh_from_db(fields=["state"])
    if there is None and draft.state == Consultation.State.DRAFT:  # waits there from home
        messages.info(request, _("The patient waits in that clinic already."))
    if there is None or draft.state != Consultation.State.DRAFT:
        return redirect("consult:centre_visit", consultation=draft.uid)
    messages.info(
        request,
        _("%(name)s is on the way already, to %(clinic)s. This draft is kept.")
        % {"name": draft.patient.name, "clinic": there.clinic.local_name},
    )
    return redirect("consult:centre_visit", consultation=there.uid)


def why_not_sent(error: actions.NotReady | NoToken) -> list[str]:
    if isinstance(error, NoToken):
        return [why_no_token(error)]
    return [why_not_ready(code) for code in error.obstacles]


def why_not_ready(code: str) -> str:
    """Each gate's plain reason, and what to do."""
    return {
        "vague": _("Say what is wrong in a few words: where, what kind, how strong."),
        "no_vitals": _("Measure at least one vital sign."),
        "implausible": _(
            "This speciality does not treat patients of this age or sex. Choose another one."
        ),
        "general_first": _(
            "A general doctor is asked first here. A specialist is open for a follow-up, when a"
            " doctor advises it, or in an emergency."
        ),
        "no_consent": _("Read the consent out and tick that the patient agrees."),
        "not_present": _("The patient must be with you. Tick it when it is so."),
        "no_link": _("Your health centre is no longer linked to this clinic. Choose another one."),
        "no_reason": _("Say why you choose another clinic than the one proposed."),
    }[code]


@require_POST
@health_worker_only
def send_again(request: AtCentre, consultation: UUID) -> HttpResponse:
    """What came back goes to another clinic as it is; the button says that the patient is here."""
    found = centres_consultation(request, consultation)
    clinic = _linked(request, request.POST.get("clinic", ""))
    if clinic is None:
        messages.error(request, why_not_ready("no_link"))
        return redirect("consult:centre_visit", consultation=found.uid)
    sending = actions.Sending(
        clinic, proposed=None, said=YES, is_written="in_writing" in request.POST
    )
    try:
        sent = actions.send_again(earlier=found, sending=sending, by=request.user)
    except (actions.NotReady, NoToken) as error:
        for words in why_not_sent(error):
            messages.error(request, words)
        return redirect("consult:centre_visit", consultation=found.uid)
    except (actions.AlreadySent, AlreadyWaiting):
        return _already_sent(request, found)
    except MoveRefused:
        messages.info(request, _("A colleague is writing on a case of this patient: see it here."))
        return redirect("consult:centre_patient", patient=found.patient.uid)
    return redirect("consult:centre_visit", consultation=sent.uid)


def _linked(request: AtCentre, uid: str) -> Clinic | None:
    linked = {str(clinic.uid): clinic for clinic in linked_clinics(request.facility)}
    return linked.get(uid)


@require_POST
@health_worker_only
def reopen(request: AtCentre, consultation: UUID) -> HttpResponse:
    """What came back is opened as a draft, with everything in it, to be mended."""
    found = centres_consultation(request, consultation)
    try:
        draft = actions.reopen_case(earlier=found, by=request.user)
    except MoveRefused:
        return redirect("consult:centre_visit", consultation=found.uid)
    return redirect("consult:centre_case", consultation=draft.uid)


@require_POST
@health_worker_only
def move(request: AtCentre, consultation: UUID) -> HttpResponse:
    """A case that waits goes to another linked clinic, or is answered in writing."""
    found = centres_consultation(request, consultation)
    try:
        if "in_writing" in request.POST:
            actions.ask_in_writing(consultation=found, by=request.user)
        elif clinic := _linked(request, request.POST.get("clinic", "")):
            because = request.POST.get("because", "")[:300]
            actions.move_case(consultation=found, clinic=clinic, because=because, by=request.user)
        else:
            messages.error(request, why_not_ready("no_link"))
    except (actions.NotReady, NoToken) as error:
        for words in why_not_sent(error):
            messages.error(request, words)
    except AlreadyWaiting:
        messages.info(request, _("The patient waits in that clinic already."))
    except MoveRefused:
        messages.info(request, _("A doctor has just called. The case stays where it is."))
    return redirect("consult:centre_visit", consultation=found.uid)
