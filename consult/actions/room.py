"""Into the room and out of it: called, let in, passed over, completed, returned."""

from collections.abc import Container
from functools import cache

from django.db import transaction
from django.db.models import BigAutoField, QuerySet

from accounts.actions import event, record
from accounts.models import AuditEvent, Doctor, User
from consult import broadcast
from consult.actions.telling import tell_at_home
from consult.models import (
    Consultation,
    EmergencyReferral,
    FollowUp,
    Note,
)
from consult.of_consultation import (
    DRAFT,
    OPEN_OPINIONS,
    TO_END,
    WHAT_IS_OPEN,
    is_emergency_of,
    note_of,
)
from esanjeevani.sql.composed import Composed, together
from esanjeevani.sql.steps import as_text, insert_text, values_of
from queues import actions as queues
from queues.models import Clinic, KeptApart, MoveRefused, Token
from queues.models.moves import moved

OF_TOKEN = Composed(
    lambda token: Consultation.objects.filter(token=token).select_related("patient"),
    token=BigAutoField(),
)
GOES_TO_DOCTOR = """
UPDATE consult_consultation SET doctor_id = %(doctor)s WHERE token_id = (SELECT id FROM called)
RETURNING uid, patient_id
"""


class StillAnEmergency(MoveRefused):
    """It was called an emergency: it ends with first aid and a hospital, in no other way."""


def call_next(
    *, clinic: Clinic, doctor: Doctor, before: queues.Before | None = None
) -> Consultation:
    """Call the first present patient. Raises what queues.actions.call_next raises.

    `before` is how the clinic stood a moment ago.
    """
    beside, whose = _beside_a_call()
    seen = values_of("seen", event("consultation.call", by=doctor.user), without=whose)
    token, found = queues.call_beside(
        clinic=clinic, doctor=doctor, before=before, beside=beside, **seen
    )
    consultation = OF_TOKEN.row_of(found)
    consultation.token, consultation.doctor, consultation.clinic = token, doctor, token.clinic
    token.patient, token.consultation = consultation.patient, consultation
    broadcast.centre_changed(consultation)
    return consultation


@cache
def _beside_a_call() -> tuple[queues.Beside, Container[str]]:
    """The case goes to the doctor who calls; and which columns of the audit event that says."""
    target = f"'consultation:' || {as_text('gone.uid')}"
    known = {"target": target, "patient_id": "gone.patient_id"}
    seen = f"{insert_text('seen', AuditEvent, **known)} FROM gone"
    of_called = OF_TOKEN.as_step() % {"token": "(SELECT id FROM called)"}
    return queues.Beside((("gone", GOES_TO_DOCTOR), ("seen", seen)), of_called), known


@transaction.atomic
def begin(*, consultation: Consultation, by: User) -> Consultation:
    """The patient answers the call and comes in; at a health centre the health worker `by` does it.

    Raises MoveRefused when the call is over, or the health worker is in another call.
    """
    token = _calling(consultation)
    if token.doctor is None:
        raise MoveRefused("Nobody is calling.")
    came_in = event("consultation.begin", consultation, by=by, patient=consultation.patient)
    queues.answer_call(
        consultation.beginning(token.doctor),
        token=token,
        at_screen_of=by if consultation.facility_id else None,
        beside=[came_in],
    )
    broadcast.consultation_changed(consultation)
    return consultation


def _calling(consultation: Consultation) -> Token:
    """With the doctor who calls: as it was read with the consultation, or read now.

    Whether that doctor still calls is found out by the answer.
    """
    token = consultation.token if Consultation.token.is_cached(consultation) else None
    if token is None or token.state != Token.State.CALLED:
        return token_of(consultation)
    if token.doctor_id == consultation.doctor_id:
        token.doctor = consultation.doctor
    return token


@transaction.atomic
def leave(*, consultation: Consultation, by: User) -> Consultation:
    """The place is given up. Raises MoveRefused once the doctor has begun."""
    token = _tokens().filter(consultation=consultation).first()
    if token is not None:
        queues.leave_line(token=token)
    elif not consultation.is_written:
        raise MoveRefused("A draft has no place in a line.")
    as_it_was = Consultation.objects.select_for_update().filter(pk=consultation.pk, token=token)
    if as_it_was.first() is None:
        raise MoveRefused("A colleague has just moved it.")
    consultation.cancel(Consultation.EndReason.LEFT)
    record("consultation.leave", consultation, by=by, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return consultation


@transaction.atomic
def pass_over(*, consultation: Consultation, by: User) -> Consultation:
    """The doctor waits no longer for an answer. Raises MoveRefused when the patient came in."""
    token = queues.pass_over(token=token_of(consultation))
    record("consultation.pass_over", consultation, by=by, patient=consultation.patient)
    after_pass(token, consultation)
    return consultation


def after_pass(token: Token, consultation: Consultation) -> None:
    """Tell the patient of the call that was missed; the second one ends the consultation."""
    if token.state == Token.State.NO_SHOW:
        consultation.cancel(Consultation.EndReason.NO_SHOW)
        key = "no_show"
    else:
        Consultation.objects.filter(pk=consultation.pk).update(doctor=None)
        key = "missed"
    tell_at_home(consultation, key, number=token.number)
    broadcast.consultation_changed(consultation)


@transaction.atomic
def take_written(*, consultation: Consultation, doctor: Doctor) -> Consultation:
    """A doctor on duty takes a case of the pile to answer it in writing.

    Raises NotOnDuty; MoveRefused when another doctor was faster.
    """
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not doctor.is_verified or not queues.is_on_duty(doctor, locked.clinic):
        raise queues.NotOnDuty
    if KeptApart.are(doctor, consultation.patient):
        raise MoveRefused("These two are kept apart.")
    if not locked.is_written:  # the health centre has just found it a place in a line
        raise MoveRefused("The case waits in a line.")
    consultation.begin(doctor)
    record("consultation.begin", consultation, by=doctor.user, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    broadcast.written_changed(consultation)
    return consultation


@transaction.atomic
def complete(*, consultation: Consultation, by: User) -> Consultation:
    """The doctor ends it. An unfinished draft of a prescription goes. Raises MoveRefused.

    The follow-up that the doctor set becomes a task at the health centre.
    """
    standing = _standing(consultation)
    if is_emergency_of(standing):
        raise StillAnEmergency("It was called an emergency.")
    seen = event("consultation.complete", consultation, by=by, patient=consultation.patient)
    ending = [
        moved(consultation.completing(), seen),
        WHAT_IS_OPEN.asked(consultation=consultation.pk),
    ]
    if consultation.is_written:
        _ended, (now,) = together(*ending)
    else:
        _ended, (now,) = queues.finish_token(token=_place(standing.token), then=ending)
    _close(now)
    _set_follow_up(consultation, note_of(standing))
    broadcast.consultation_changed(consultation)
    return consultation


def _standing(consultation: Consultation) -> Consultation:
    """With its token, note and emergency: as it was read with them, or read now.

    Who moved it since then is found out by the moves themselves.
    """
    read_with = Consultation.token, Consultation.note, Consultation.emergency
    is_going_on = consultation.state == Consultation.State.IN_PROGRESS
    if is_going_on and all(one.is_cached(consultation) for one in read_with):
        return consultation
    found = TO_END.first(consultation=consultation.pk)
    if found is None:
        raise MoveRefused("It is gone.")
    return found


def refuse_routine_end(consultation: Consultation) -> None:
    """Raises StillAnEmergency (TPG 2020, 3.6)."""
    if EmergencyReferral.objects.filter(consultation=consultation).exists():
        raise StillAnEmergency("It was called an emergency.")


def close_what_is_open(consultation: Consultation) -> None:
    """At the end: drafts of prescriptions go, and no specialist is waited for any longer.

    Asked once it has ended: until then somebody may write.
    """
    (now,) = WHAT_IS_OPEN.all(consultation=consultation.pk)
    _close(now)


def _close(now: Consultation) -> None:
    """What was found open in one of WHAT_IS_OPEN."""
    for draft in DRAFT.of(now):
        draft.lines.all().delete()
        draft.delete()
    withdraw_questions(now)


def withdraw_questions(consultation: Consultation) -> None:
    """No doctor waits for a specialist's answer any longer."""
    for opinion in OPEN_OPINIONS.of(consultation):
        opinion.withdraw()
        broadcast.opinion_changed(opinion)


def _set_follow_up(consultation: Consultation, note: Note | None) -> None:
    if consultation.facility_id is None or note is None or note.follow_up_on is None:
        return
    FollowUp.objects.create(
        consultation=consultation,
        patient=consultation.patient,
        facility_id=consultation.facility_id,
        due_on=note.follow_up_on,
    )


@transaction.atomic
def return_consultation(
    *,
    consultation: Consultation,
    by: User,
    reason: str,
    words: str,
    clinic: Clinic | None = None,
) -> Consultation:
    """Send the case back with a reason, before or during the talk. Raises MoveRefused.

    `clinic` is where the doctor would send it; the health centre sends it there with one click.
    """
    patient = consultation.patient
    if reason != Consultation.EndReason.EMERGENCY:
        refuse_routine_end(consultation)
    if consultation.is_written:
        broadcast.written_changed(consultation)
    else:
        _end_place(token_of(consultation))
    consultation.send_back(reason, words, clinic)
    close_what_is_open(consultation)
    record("consultation.return", consultation, by=by, patient=patient)
    if consultation.token:
        tell_at_home(consultation, "returned", number=consultation.token.number)
    broadcast.consultation_changed(consultation)
    return consultation


def _end_place(token: Token) -> None:
    if token.state == Token.State.SERVING:
        queues.finish_token(token=token)
    else:
        queues.leave_line(token=token)


def token_of(consultation: Consultation) -> Token:
    """The token as it is now, for a move. The token always moves before its consultation: one order
    of locks, so that two requests can wait for each other but never both."""
    return _place(_tokens().filter(consultation=consultation).first())


def _place(token: Token | None) -> Token:
    if token is None:
        raise MoveRefused("A draft has no place in a line.")
    return token


def _tokens() -> "QuerySet[Token]":
    return Token.objects.select_related("clinic", "doctor__user")
