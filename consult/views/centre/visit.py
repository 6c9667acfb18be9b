from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import record
from accounts.gates import AtCentre, get_or_refuse, health_worker_only
from consult import actions
from consult.day import letters_of
from consult.fetch import centres_consultation
from consult.forms import DispensingForm, FollowUpForm, MessageForm, VitalsForm
from consult.models import Consultation, FollowUp, Instruction
from consult.people import Role
from consult.readings import readings
from consult.views.centre.day import others_beside
from consult.views.colleagues import opinion_of
from consult.views.rooms import allow_camera
from consult.views.visit import chat_context, issued_of
from queues.actions import sit_at_screen
from queues.assignment import linked_clinics
from queues.line import read_line, standings
from queues.models import KeptApart, MoveRefused, Presence, Token


@require_safe
@health_worker_only
def visit(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The health centre's page of one consultation: waiting, in the room, and after."""
    found = centres_consultation(request, consultation)
    if found.state == Consultation.State.DRAFT:
        return redirect("consult:centre_case", consultation=found.uid)
    record("consultation.read", found, by=request.user, patient=found.patient)
    return _page(request, found)


def _page(request: AtCentre, found: Consultation, status: int = 200, **forms: Any) -> HttpResponse:
    context = _facts(request, found) | forms
    if found.state == Consultation.State.REQUESTED:
        return render(
            request,
            "consult/centre/waiting.html",
            context | _waiting(request, found),
            status=status,
        )
    if found.state == Consultation.State.IN_PROGRESS:
        context |= chat_context(found) | {"form": MessageForm(), "opinion": opinion_of(found)}
        context |= {"role": Role.HEALTH_WORKER, "is_my_screen": _is_my_screen(request, found)}
        return allow_camera(render(request, "consult/centre/room.html", context, status=status))
    return render(
        request, "consult/centre/result.html", context | _after(request, found), status=status
    )


def _facts(request: AtCentre, found: Consultation) -> dict[str, Any]:
    return {
        "consultation": found,
        "patient": found.patient,
        "facility": request.facility,
        "readings": readings(found),
        "attachments": found.attachments.filter(message=None),
        "instructions": found.instructions.select_related("asked_by", "done_by"),
        "vitals_form": VitalsForm(),
        "issued": issued_of(found),
        **others_beside(request, found),
    }


def _is_my_screen(request: AtCentre, found: Consultation) -> bool:
    """Whether the patient sits here: the call is on this screen, not on a colleague's."""
    return found.token is not None and found.token.brought_by_id == request.user.pk


def _waiting(request: AtCentre, found: Consultation) -> dict[str, Any]:
    token = found.token
    others = standings(linked_clinics(request.facility), found.patient)
    context: dict[str, Any] = {
        "token": token,
        "others": [one for one in others if one.takes_patients and one.clinic != found.clinic],
        "standing": next((one for one in others if one.clinic == found.clinic), None),
        "is_called": token is not None and token.state == Token.State.CALLED,
        "is_mine": token is not None and token.brought_by_id == request.user.pk,
    }
    if token is None:
        return context
    Presence.renew([token.pk])
    line = read_line(found.clinic, found.patient)
    ahead = line.ahead_of(token.pk)
    wait = line.wait(ahead) if ahead is not None else None
    return (
        context
        | {"ahead": ahead, "wait": wait, "doctors": line.doctors}
        | {"is_parted": KeptApart.of_patient(found.patient).exists()}
    )


def _after(request: AtCentre, found: Consultation) -> dict[str, Any]:
    issued = issued_of(found)
    can_send_to = linked_clinics(request.facility)
    suggested = found.suggested_clinic
    return {
        **chat_context(found),
        "note": getattr(found, "note", None),
        "letters": letters_of(found),
        "opinion": opinion_of(found),
        "dispensing_form": DispensingForm(prescription=issued) if issued else None,
        "follow_up": FollowUp.objects.filter(consultation=found).first(),
        "follow_up_form": FollowUpForm(),
        "came_back": Consultation.objects.came_back(request.facility).filter(pk=found.pk).exists(),
        "suggested": suggested if suggested in can_send_to else None,
        "next": found.continued_by.sent().select_related("clinic").first(),
    }


@require_POST
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
