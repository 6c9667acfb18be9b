"""The doctor's room: the case, notes, medicines, and how a consultation ends."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import event, record
from accounts.gates import SignedIn, doctor_only
from accounts.models import AuditEvent
from consult import actions
from consult.actions import Line
from consult.fetch import (
    DOCTORS,
    DOCTORS_ROOM,
    DRAFTED,
    doctors_consultation,
    with_session,
    written_consultation,
)
from consult.forms import LineFormSet, NoteForm, typed_lines
from consult.models import Consultation, Prescription, PrescriptionLine
from consult.of_consultation import drafted_of, note_of
from consult.views.asked import is_staying, wants_part
from consult.views.doctor.desk import call_from
from consult.views.doctor.parts import issued_context, room_context
from consult.views.doctor.returning import return_form
from consult.views.doctor.rules_panel import press_fast_button, reasons_in, rules_context
from consult.views.rooms import allow_camera
from queues.models import MoveRefused


@require_safe
@with_session(DOCTORS_ROOM)
@doctor_only
def room(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The case, the talk and the prescription side by side."""
    found = doctors_consultation(request, consultation, DOCTORS_ROOM)
    seen = event("consultation.read", found, by=request.user, patient=found.patient)
    return room_page(request, found, seen=seen)


def room_page(
    request: SignedIn,
    consultation: Consultation,
    status: int = 200,
    seen: AuditEvent | None = None,
    **forms: Any,
) -> HttpResponse:
    """The room; with `forms` those in which something was not right. To a script what it puts in."""
    template = "consult/_doctors_swaps.html" if is_staying(request) else "consult/doctors_room.html"
    context = room_context(request, consultation, seen, **forms)
    return allow_camera(render(request, template, context, status=status))


@require_POST
@with_session(DOCTORS, DRAFTED)
@doctor_only
def save(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Keep notes and medicines; with "issue" or "finish" do that too, with finish=next call the next.

    The page saves by itself, as it fetches a part: the answer is what the rules say of it now.
    """
    found = written_consultation(request, consultation)
    note_form, typed = NoteForm(request.POST), typed_lines(request.POST)
    quietly = wants_part(request)
    try:
        drafted = _keep(request, found, note_form, typed.complete if typed else None)
    except MoveRefused:
        return _too_late(request, quietly)
    except actions.IssueRefused as error:
        return _not_issued(request, found, error, quietly)
    is_whole = note_form.is_valid() and typed is not None and typed.is_whole
    if quietly:
        context = rules_context(found, drafted) | {"is_part": not (typed and typed.is_whole)}
        return render(request, "consult/_rules.html", context, status=200 if is_whole else 202)
    if not is_whole:
        medicines = LineFormSet(request.POST, prefix="lines")
        return room_page(request, found, 422, note_form=note_form, medicines=medicines)
    return _and_then(request, found, drafted)


def _keep(
    request: SignedIn, consultation: Consultation, note_form: NoteForm, lines: list[Line] | None
) -> list[PrescriptionLine]:
    """Keep what is right and another than before; returns the draft as it stands then.

    The page sends all it shows, and most of the time it is one of note and medicines that was
    written on. Raises MoveRefused, IssueRefused.
    """
    if consultation.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    drafted = drafted_of(consultation)
    new: dict[str, Any] = {}
    if note_form.is_valid() and _is_another_note(consultation, note_form.cleaned_data):
        new["words"] = note_form.cleaned_data
    if lines is not None and lines != [Line.drafted(row) for row in drafted]:
        new["lines"] = lines
    if lines is not None and (reasons := reasons_in(request)):
        new["reasons"] = reasons
    written = actions.keep_written(consultation=consultation, by=request.user, **new) if new else []
    return written if "lines" in new else drafted


def _is_another_note(consultation: Consultation, words: dict[str, Any]) -> bool:
    note = note_of(consultation)
    return note is None or any(getattr(note, name) != said for name, said in words.items())


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


def _and_then(
    request: SignedIn, consultation: Consultation, drafted: list[PrescriptionLine]
) -> HttpResponse:
    """What the pressed button asks for after saving."""
    if "issue" in request.POST:
        return _issue(request, consultation, drafted)
    if "finish" in request.POST:
        return _finish(request, consultation, drafted)
    press_fast_button(request, consultation)
    return redirect("consult:doctors_room", consultation=consultation.uid)


def _issue(
    request: SignedIn, consultation: Consultation, drafted: list[PrescriptionLine]
) -> HttpResponse:
    """A page that stays is told at once, and gets the form in which alone something has changed."""
    try:
        issued = actions.issue_prescription(
            consultation=consultation,
            doctor=request.user.doctor,
            generics=[line.generic for line in drafted],
        )
    except actions.IssueRefused as error:
        return _not_issued(request, consultation, error)
    messages.success(request, _("Prescription %(number)s is issued.") % {"number": issued.number})
    if not is_staying(request):
        return redirect("consult:doctors_room", consultation=consultation.uid)
    context = issued_context(consultation, issued, drafted)
    return render(request, "consult/_doctors_issued.html", context)


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


def _finish(
    request: SignedIn, consultation: Consultation, drafted: list[PrescriptionLine]
) -> HttpResponse:
    if drafted:
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
    else:
        if request.POST["finish"] == "next":
            call_from(consultation.clinic, request)
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
