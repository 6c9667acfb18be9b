"""The doctor's room: the case, notes, medicines, and how a consultation ends."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import BigAutoField, QuerySet
from django.forms import BaseFormSet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import record
from accounts.gates import SignedIn, doctor_only
from consult import actions
from consult.actions import Line
from consult.fetch import doctors_consultation
from consult.forms import (
    DraftRows,
    LineFormSet,
    MessageForm,
    NoteForm,
    lines_of,
)
from consult.models import Consultation, Prescription
from consult.of_consultation import DRAFT, IN_FORCE, NOTE, chat_context
from consult.people import Role
from consult.views.colleagues import panels
from consult.views.elsewhere import elsewhere_context
from consult.views.returning import return_form, untouched_return_form
from consult.views.rooms import allow_camera
from consult.views.rules_panel import (
    care_context,
    press_fast_button,
    reasons_in,
    rules_context,
)
from esanjeevani.composed import Composed
from queues.models import MoveRefused

EARLIER_SHOWN = 10


@require_safe
@doctor_only
def room(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The case, the talk and the prescription side by side."""
    found = doctors_consultation(request, consultation)
    record("consultation.read", found, by=request.user, patient=found.patient)
    return room_page(request, found)


def room_page(
    request: SignedIn, consultation: Consultation, status: int = 200, **forms: Any
) -> HttpResponse:
    """The room; with `forms` those in which something was not right."""
    context = _room(consultation) | forms
    return allow_camera(render(request, "consult/doctors_room.html", context, status=status))


def _room(
    consultation: Consultation,
    note_form: NoteForm | None = None,
    lines: "BaseFormSet[Any] | None" = None,
) -> dict[str, Any]:
    """Everything on the doctor's page of one consultation."""
    note = NOTE.first(consultation=consultation.pk)
    doctor = consultation.doctor
    return {
        "consultation": consultation,
        "patient": consultation.patient,
        "role": Role.DOCTOR,
        "is_live": consultation.state == Consultation.State.IN_PROGRESS,
        "note": note,
        "note_form": note_form or NoteForm(instance=note),
        "medicines": lines or DraftRows(actions.draft_lines(consultation)),
        "has_draft": DRAFT.first(consultation=consultation.pk) is not None,
        "issued": IN_FORCE.first(consultation=consultation.pk),
        "return_form": untouched_return_form(consultation),
        "form": MessageForm(),
        "earlier": EARLIER.all(patient=consultation.patient_id, but=consultation.pk),
        **panels(consultation),
        **chat_context(consultation),
        **rules_context(consultation),
        **(care_context(consultation, doctor) if doctor else {}),
        **elsewhere_context(consultation),
    }


def _earlier(patient: Any, but: Any) -> "QuerySet[Consultation]":
    """What a patient was seen for before: a doctor who treats sees the history."""
    seen = Consultation.objects.filter(patient=patient, state=Consultation.State.COMPLETED)
    with_notes = seen.exclude(pk=but).select_related("doctor__user", "clinic", "note")
    return with_notes.order_by("-ended_at")[:EARLIER_SHOWN]


EARLIER = Composed(_earlier, patient=BigAutoField(), but=BigAutoField())


@require_POST
@doctor_only
def save(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Keep notes and medicines; with "issue" or "finish" do that too.

    The page saves by itself, as it fetches a part: the answer is what the rules say of it now.
    """
    found = doctors_consultation(request, consultation)
    note_form = NoteForm(request.POST, instance=NOTE.first(consultation=found.pk))
    lines = LineFormSet(request.POST, prefix="lines")
    quietly = request.headers.get("X-Requested-With") == "fetch"
    note_is_valid, lines_are_valid = note_form.is_valid(), lines.is_valid()
    try:
        if note_is_valid:
            actions.save_note(consultation=found, by=request.user, **note_form.cleaned_data)
        if lines_are_valid:
            _save_medicines(request, found, lines_of(lines))
    except MoveRefused:
        return _too_late(request, quietly)
    except actions.IssueRefused as error:
        return _not_issued(request, found, error, quietly)
    if quietly:
        return _rules(request, found, status=200 if note_is_valid and lines_are_valid else 202)
    if not (note_is_valid and lines_are_valid):
        context = _room(found, note_form, lines)
        return allow_camera(render(request, "consult/doctors_room.html", context, status=422))
    return _and_then(request, found)


def _save_medicines(request: SignedIn, consultation: Consultation, lines: list[Line]) -> None:
    """Most of the time it is the note that was written on."""
    if lines != actions.draft_lines(consultation):
        actions.save_lines(consultation=consultation, lines=lines, by=request.user)
    if reasons := reasons_in(request):
        actions.save_reasons(consultation=consultation, reasons=reasons, by=request.user)


def _rules(request: SignedIn, consultation: Consultation, status: int) -> HttpResponse:
    context = rules_context(consultation) | {"consultation": consultation}
    return render(request, "consult/_rules.html", context, status=status)


def _too_late(request: SignedIn, quietly: bool) -> HttpResponse:
    words = _("The consultation has ended; nothing was changed.")
    if quietly:
        return JsonResponse({"code": "ended", "message": words}, status=409)
    messages.error(request, words)
    return redirect("consult:desk")


def _not_issued(
    request: SignedIn,
    consultation: Consultation,
    error: actions.IssueRefused,
    quietly: bool = False,
) -> HttpResponse:
    words = why_not_issued(error)
    if quietly:
        return JsonResponse({"code": error.reason, "message": words}, status=409)
    messages.error(request, words)
    return room_page(request, consultation, 409)


def _and_then(request: SignedIn, consultation: Consultation) -> HttpResponse:
    """What the pressed button asks for after saving."""
    if "issue" in request.POST:
        try:
            issued = actions.issue_prescription(
                consultation=consultation, doctor=request.user.doctor
            )
        except actions.IssueRefused as error:
            return _not_issued(request, consultation, error)
        messages.success(
            request, _("Prescription %(number)s is issued.") % {"number": issued.number}
        )
    elif "finish" in request.POST:
        return _finish(request, consultation)
    else:
        press_fast_button(request, consultation)
    return redirect("consult:doctors_room", consultation=consultation.uid)


def why_not_issued(error: actions.IssueRefused) -> str:
    return {
        "no_diagnosis": _("Write a diagnosis or a provisional diagnosis first."),
        "no_lines": _("There is no medicine to prescribe."),
        "not_verified": _("Your registration is not verified. Ask your nodal officer."),
        "not_yours": _("Another doctor leads this consultation."),
        "over": _("The consultation has ended."),
        "issued": _("The prescription is issued already. To change it, correct it."),
        "emergency": _("This is an emergency: first aid and a hospital, no prescription."),
        "no_age": _("The patient's date of birth cannot be right. Correct it first."),
        "minor_alone": _(
            "The patient is under 18: name and relation of the adult who is with them are needed"
            " first (Telemedicine Practice Guidelines 2020, 3.3)."
        ),
        "no_key": _(
            "Prescriptions cannot be signed now, so none is issued. What you wrote is kept. Tell"
            " those who run this service."
        ),
        "rules": _("The rules do not allow this prescription. See below what is possible instead."),
        "warnings": _("Look at the warnings below, and give a reason for each that you override."),
    }[error.reason]


def _finish(request: SignedIn, consultation: Consultation) -> HttpResponse:
    if consultation.prescriptions.filter(state="draft", lines__isnull=False).exists():
        messages.error(
            request, _("The medicines are not issued yet. Issue them, or empty the rows.")
        )
        return room_page(request, consultation, 409)
    try:
        actions.complete(consultation=consultation, by=request.user)
    except actions.StillAnEmergency:
        return _still_an_emergency(request, consultation)
    except MoveRefused:
        messages.info(request, _("The consultation had ended already."))
    return redirect("consult:desk")


def _still_an_emergency(request: SignedIn, consultation: Consultation) -> HttpResponse:
    messages.error(
        request, _("This is an emergency: write the first aid and where the patient goes.")
    )
    return room_page(request, consultation, 409)


@require_POST
@doctor_only
def revise(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Correct an issued prescription: a new version, which replaces it once it is issued."""
    found = doctors_consultation(request, consultation)
    try:
        actions.revise_prescription(consultation=found, by=request.user)
    except (MoveRefused, Prescription.DoesNotExist):
        messages.error(request, _("There is no prescription to correct."))
    return redirect("consult:doctors_room", consultation=found.uid)


@require_POST
@doctor_only
def send_back(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Return the case with a reason."""
    found = doctors_consultation(request, consultation)
    form = return_form(found, request.POST)
    if not form.is_valid():
        return room_page(request, found, 422, return_form=form, return_open=True)
    try:
        actions.return_consultation(consultation=found, by=request.user, **form.cleaned_data)
    except actions.StillAnEmergency:
        return _still_an_emergency(request, found)
    except MoveRefused:
        messages.info(request, _("The consultation had ended already."))
    return redirect("consult:desk")


@require_safe
@doctor_only
def past(request: SignedIn) -> HttpResponse:
    """The doctor's own consultations, newest first."""
    mine = Consultation.objects.with_people().of_doctor(request.user.doctor)
    shown = mine.select_related("note").order_by("-created_at")[:100]
    record("consultations.list", "own", by=request.user)
    return render(request, "consult/doctors_past.html", {"consultations": shown})
