"""A patient's way to the token: for whom, what is wrong, files, consent."""

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.gates import SignedIn, get_or_refuse, noticed
from accounts.models import Patient
from consult import actions
from consult.fetch import booked_consultation, patient_and_clinic
from consult.forms import CaseForm, ConfirmForm, UploadForm
from consult.models import Attachment, Consultation
from queues.actions import AlreadyWaiting, NoToken
from queues.line import Standing, standings
from queues.models import Clinic, MoveRefused, Token


@require_safe
@noticed
def book(request: SignedIn) -> HttpResponse:
    """For whom? With one patient there is nothing to ask."""
    people = list(Patient.objects.of(request.user).select_related("state"))
    if not people:
        return redirect("accounts:new_patient")
    if len(people) == 1:
        return redirect("queue:clinics", patient=people[0].uid)
    return render(request, "consult/book.html", {"patients": people})


@require_http_methods(["GET", "POST"])
@noticed
def case(request: SignedIn, patient: UUID, clinic: UUID) -> HttpResponse:
    """What is wrong? Kept as a draft from the first save."""
    person, chosen = patient_and_clinic(request, patient, clinic)
    if request.method == "POST":
        form = CaseForm(request.POST, patient=person)
        if form.is_valid():
            saved = actions.save_draft(
                patient=person, clinic=chosen, by=request.user, **form.cleaned_data
            )
            return redirect("consult:files", consultation=saved.uid)
    else:
        waiting = Token.objects.open().filter(clinic=chosen, patient=person).first()
        if waiting:
            return redirect("consult:visit", consultation=waiting.consultation.uid)
        draft = Consultation.objects.filter(patient=person, state="draft").first()
        form = CaseForm(instance=draft, patient=person)
    (standing,) = standings([chosen], person)
    context = {"form": form, "patient": person, "clinic": chosen, "standing": standing}
    status = 422 if request.method == "POST" else 200
    return render(request, "consult/case.html", context, status=status)


def opd_clinics() -> "QuerySet[Clinic]":
    return Clinic.objects.filter(is_active=True, takes_opd=True).prefetch_related("hours")


@require_http_methods(["GET", "POST"])
@noticed
def files(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Photos and reports: up to five, each checked when it comes."""
    found = booked_consultation(request, consultation)
    if found.state != Consultation.State.DRAFT:
        return redirect("consult:visit", consultation=found.uid)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                actions.add_attachment(
                    consultation=found, clean=form.cleaned_data["file"], by=request.user
                )
                return redirect("consult:files", consultation=found.uid)
            except actions.TooManyFiles as error:
                form.add_error("file", too_many_files(error))
            except MoveRefused:
                return redirect("consult:visit", consultation=found.uid)
    context = {
        "form": form,
        "consultation": found,
        "attachments": found.attachments.all(),
        "most": Attachment.PER_CASE,
    }
    return render(
        request, "consult/files.html", context, status=422 if request.method == "POST" else 200
    )


def too_many_files(error: actions.TooManyFiles) -> str:
    return ngettext(
        "There is room for %(n)d file only.", "There is room for %(n)d files only.", error.most
    ) % {"n": error.most}


@require_POST
@noticed
def remove_file(request: SignedIn, consultation: UUID, attachment: UUID) -> HttpResponse:
    found = booked_consultation(request, consultation)
    file = get_or_refuse(found.attachments.all(), Attachment.objects.all(), request, uid=attachment)
    try:
        actions.remove_attachment(attachment=file, by=request.user)
    except MoveRefused:
        messages.error(request, _("The case was sent already. Its files stay."))
    return redirect("consult:files", consultation=found.uid)


@require_http_methods(["GET", "POST"])
@noticed
def confirm(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Everything once more, the consent, and the token."""
    found = booked_consultation(request, consultation)
    if found.state != Consultation.State.DRAFT:  # double click, or the back button
        return redirect("consult:visit", consultation=found.uid)
    form = ConfirmForm(request.POST or None)
    status, refusal = (422, "") if request.method == "POST" else (200, "")
    if request.method == "POST" and form.is_valid():
        refusal = _request(request, found, may_phone=form.cleaned_data["may_phone"])
        if not refusal:
            return redirect("consult:visit", consultation=found.uid)
        status = 409
    standing, others = _this_and_others(found)
    context = {
        "form": form,
        "consultation": found,
        "attachments": found.attachments.all(),
        "standing": standing,
        "others": others,
        "refusal": refusal,
    }
    return render(request, "consult/confirm.html", context, status=status)


def _this_and_others(draft: Consultation) -> tuple[Standing, list[Standing]]:
    """The chosen clinic as it stands, and up to three near it that take the patient now."""
    there = opd_clinics().filter(state=draft.clinic.state_id) | Clinic.objects.filter(
        pk=draft.clinic_id
    )
    known = standings(list(there.select_related("speciality")), draft.patient)
    this = next(one for one in known if one.clinic.pk == draft.clinic_id)
    if not this.clinic.takes_opd:  # since the draft was begun
        this = replace(this, is_open=False)
    return this, [one for one in known if one.takes_patients and one.clinic != this.clinic][:3]


def _request(request: SignedIn, consultation: Consultation, *, may_phone: bool) -> str:
    """Send it; the sentence to show when that was refused."""
    try:
        actions.request_consultation(
            consultation=consultation,
            clinic=consultation.clinic,
            by=request.user,
            language=get_language() or "en",
            may_phone=may_phone,
        )
    except NoToken as error:
        return why_no_token(error)
    except AlreadyWaiting as error:
        token = error.token
        if token is None or token.consultation == consultation:
            return ""  # sent by the other click
        return _("%(name)s already waits in this clinic with token %(number)s.") % {
            "name": consultation.patient.name,
            "number": token.number,
        }
    except actions.NothingSaid:
        return _("Say first what is wrong.")
    except MoveRefused:
        return ""  # sent by the other click
    return ""


def why_no_token(error: NoToken) -> str:
    return {
        "closed": _("This clinic has just closed. What you wrote is kept: choose another clinic."),
        "unstaffed": _(
            "No doctor is on duty here now. What you wrote is kept: choose another clinic."
        ),
        "full": _("This clinic is full. What you wrote is kept: choose another clinic."),
        "unsuitable": _(
            "This clinic does not treat this patient's age or sex. Choose another clinic."
        ),
    }[error.reason]


@require_POST
@noticed
def discard(request: SignedIn, consultation: UUID) -> HttpResponse:
    found = booked_consultation(request, consultation)
    try:
        actions.discard_draft(consultation=found, by=request.user)
    except MoveRefused:
        return redirect("consult:visit", consultation=found.uid)
    return redirect("home")
