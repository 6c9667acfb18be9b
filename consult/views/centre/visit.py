"""A case that was sent, on the health centre's page: the wait, the call, what the doctor asks for."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import event
from accounts.gates import AtCentre, get_or_refuse, health_worker_only
from accounts.models import AuditEvent
from consult import actions
from consult.fetch import (
    CENTRES,
    CENTRES_PART,
    CENTRES_VISIT,
    centres_consultation,
    centres_visit,
    with_session,
)
from consult.forms import DispensingForm, FollowUpForm, MessageForm, VitalsForm, untouched
from consult.live.tips import opinions_version
from consult.models import Consultation, Instruction, Observation, PrescriptionLine
from consult.of_consultation import (
    FOLLOW_UPS,
    LINES,
    OBSERVATIONS,
    OPINIONS,
    SENT_FILES,
    WENT_ON,
    chat_context,
    issued_of,
    letters_of,
    note_of,
    opinion_of,
)
from consult.people import Role
from consult.readings import readings_of
from consult.views.asked import wants_part
from consult.views.centre.day import others_beside
from consult.views.centre.turn import asked_of, screen_of, turn_of
from consult.views.rooms import allow_camera
from esanjeevani.sql.composed import Question, inserting, together
from queues.actions import sit_at_screen
from queues.assignment import linked_clinics
from queues.models import MoveRefused, Token


@require_safe
def visit(request: AtCentre, consultation: UUID) -> HttpResponseBase:
    """The health centre's page of one consultation: waiting, in the room, and after."""
    return (_part if wants_part(request) else _whole)(request, consultation=consultation)


@with_session(CENTRES_VISIT)
@health_worker_only
def _whole(request: AtCentre, consultation: UUID) -> HttpResponse:
    found = centres_visit(request, consultation)
    if found.state == Consultation.State.DRAFT:
        return redirect("consult:centre_case", consultation=found.uid)
    return _page(request, found, _read(request, found))


@with_session(CENTRES_PART)
@health_worker_only
def _part(request: AtCentre, consultation: UUID) -> HttpResponseBase:
    """What moves while it is open; once it is over the page has become another one."""
    found = centres_visit(request, consultation, CENTRES_PART)
    if not found.is_open:
        return _whole(request, consultation=consultation)
    return _moving_part(request, found, inserting(_read(request, found)))


def _read(request: AtCentre, found: Consultation) -> AuditEvent:
    return event("consultation.read", found, by=request.user, patient=found.patient)


def _page(
    request: AtCentre,
    found: Consultation,
    seen: AuditEvent | None = None,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    vitals = OBSERVATIONS.asked(seen, consultation=found.pk)
    if found.state == Consultation.State.REQUESTED:
        name, (measured, context) = "waiting", _waiting(request, found, vitals)
    elif found.state == Consultation.State.IN_PROGRESS:
        (measured,) = together(vitals)
        name, context = "room", _room(request, found)
    else:
        measured, lines = together(vitals, LINES.asked(prescription=_key_of_issued(found)))
        name, context = "result", _after(request, found, lines)
    context |= {
        "consultation": found,
        "patient": found.patient,
        "facility": request.facility,
        "readings": readings_of(measured, found.patient),
        **others_beside(request, found),
        **forms,
    }
    response = render(request, f"consult/centre/{name}.html", context, status=status)
    return allow_camera(response) if name == "room" else response


def _moving_part(request: AtCentre, found: Consultation, seen: Question) -> HttpResponse:
    """What moves while the page is open (static/js/centre.js and room.js)."""
    if found.state == Consultation.State.REQUESTED:
        _written, turn = turn_of(request, found, seen)
        return render(request, "consult/centre/_turn.html", turn)
    together(seen)
    context = {"consultation": found, **_doctors_word(found), **screen_of(request, found)}
    return render(request, "consult/centre/_room_parts.html", context)


def _waiting(
    request: AtCentre, found: Consultation, vitals: Question
) -> tuple[list[Observation], dict[str, Any]]:
    measured, turn = turn_of(request, found, vitals)
    return measured, {
        **turn,
        "attachments": SENT_FILES.of(found),
        "vitals_form": untouched(VitalsForm, ""),
    }


def _doctors_word(found: Consultation) -> dict[str, Any]:
    opinions = OPINIONS.of(found)
    return {
        "issued": issued_of(found),
        "opinion": opinions[0] if opinions else None,
        "opinion_version": opinions_version(opinions),
        **asked_of(found),
    }


def _room(request: AtCentre, found: Consultation) -> dict[str, Any]:
    return {
        **_doctors_word(found),
        **chat_context(found),
        "form": MessageForm(),
        "vitals_form": untouched(VitalsForm, ""),
        "role": Role.HEALTH_WORKER,
        **screen_of(request, found),
    }


def _key_of_issued(found: Consultation) -> int:
    """0, which is none, where nothing was prescribed."""
    issued = issued_of(found)
    return issued.pk if issued else 0


def _after(request: AtCentre, found: Consultation, lines: list[PrescriptionLine]) -> dict[str, Any]:
    issued = issued_of(found)
    follow_up = next(iter(FOLLOW_UPS.of(found)), None)
    context = {
        **chat_context(found),
        "issued": issued,
        "note": note_of(found),
        "letters": letters_of(found),
        "opinion": opinion_of(found),
        "follow_up": follow_up,
        "follow_up_form": FollowUpForm() if follow_up else None,
    }
    if issued:
        form = DispensingForm(prescription=issued, lines=lines)
        context |= {"dispensing_form": form, "issued_lines": lines}
    return context | _back(request, found) if found.end_reason else context


def _back(request: AtCentre, found: Consultation) -> dict[str, Any]:
    """What ended otherwise than by an answer: whether it came back, and where it went from here."""
    suggested = found.suggested_clinic
    can_be_sent_there = suggested and suggested in linked_clinics(request.facility)
    return {
        "came_back": Consultation.objects.came_back(request.facility).filter(pk=found.pk).exists(),
        "suggested": suggested if can_be_sent_there else None,
        "next": WENT_ON.first(consultation=found.pk),
    }


@require_POST
@with_session(CENTRES)
@health_worker_only
def answer(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The doctor calls; the patient is brought before the screen."""
    found = centres_consultation(request, consultation)
    try:
        actions.begin(consultation=found, by=request.user)
    except MoveRefused:
        if found.state == Consultation.State.REQUESTED:
            messages.error(request, _why_not_in(request, found))
    return redirect("consult:centre_visit", consultation=found.uid)


def _why_not_in(request: AtCentre, found: Consultation) -> str:
    mine = Token.objects.held().filter(brought_by=request.user).exclude(consultation=found)
    if mine.exists():
        return _(
            "You are in another call. End it first, or ask a colleague to bring the patient in."
        )
    return _("The call is over. The patient keeps the place and will be called again.")


@require_POST
@health_worker_only
def take_over(request: AtCentre, consultation: UUID) -> HttpResponse:
    """A colleague's waiting patient comes to this health worker's screen."""
    found = centres_consultation(request, consultation)
    try:
        if found.token is not None:
            sit_at_screen(token=found.token, of=request.user)
    except MoveRefused:
        messages.info(request, _("This is no longer possible."))
    return redirect("consult:centre_visit", consultation=found.uid)


@require_POST
@health_worker_only
def phone_in_call(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The patient says whether the phone of the account may join the call, and takes it back."""
    found = centres_consultation(request, consultation)
    say = actions.let_phone_in if "may_join" in request.POST else actions.put_phone_out
    try:
        say(consultation=found, by=request.user)
    except MoveRefused:
        messages.info(request, _("This is no longer possible."))
    return redirect("consult:centre_visit", consultation=found.uid)


@require_POST
@health_worker_only
def leave(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The case is taken back: the patient does not wait any longer."""
    found = centres_consultation(request, consultation)
    try:
        actions.leave(consultation=found, by=request.user)
    except MoveRefused:
        messages.error(request, _("This is no longer possible."))
    return redirect("consult:centre_visit", consultation=found.uid)


@require_POST
@health_worker_only
def measure(request: AtCentre, consultation: UUID) -> HttpResponse:
    """Vital signs while the case waits, or when the doctor asks for them."""
    found = centres_consultation(request, consultation)
    form = VitalsForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, vitals_form=form)
    try:
        actions.measure_again(consultation=found, vitals=form.vitals, by=request.user)
    except MoveRefused:
        messages.error(request, _("The consultation has ended; nothing was changed."))
    return redirect("consult:centre_visit", consultation=found.uid)


@require_POST
@health_worker_only
def carry_out(request: AtCentre, consultation: UUID, instruction: int) -> HttpResponse:
    """What the doctor asked for is done."""
    found = centres_consultation(request, consultation)
    asked = get_or_refuse(
        found.instructions.all(), Instruction.objects.all(), request, pk=instruction
    )
    words = request.POST.get("answer", "").strip()[:300]
    with suppress(MoveRefused):  # a colleague did it
        actions.carry_out(instruction=asked, by=request.user, answer=words)
    return redirect("consult:centre_visit", consultation=found.uid)
