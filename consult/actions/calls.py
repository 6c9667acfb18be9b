"""The call: who came and went, and what to do when it broke off."""

from datetime import datetime
from typing import cast

from django.db import transaction
from django.db.models import BigAutoField, CharField
from django.utils import timezone

from accounts.actions import event as audited
from accounts.actions import record
from accounts.models import User
from consult import broadcast
from consult.actions.room import close_what_is_open, token_of, withdraw_questions
from consult.models import AbuseReport, CallEvent, Consultation, Opinion
from consult.people import Role, patients_seat, role_of
from esanjeevani.sql.composed import Columns, Composed, together
from esanjeevani.sql.rows import insert
from esanjeevani.sql.steps import insert_with
from queues import actions as queues
from queues.models import MoveRefused

# What decides whose seat somebody has, and what is written down of it.
OF_A_SEAT = [
    "uid", "state", "facility", "is_written", "let_in_at", "patient", "doctor", "token",
    "patient__account", "doctor__user", "token__brought_by",
]  # fmt: skip
# Asked by each page that comes into a call, so they are composed once.
IN_CALL = Composed(
    lambda consultation: (
        Consultation.objects.filter(pk=consultation)
        .select_related("patient", "doctor", "token")
        .only(*OF_A_SEAT)
    ),
    consultation=BigAutoField(),
)
WERE_HERE = Columns(
    lambda consultation, by, page: (
        CallEvent.objects.filter(consultation=consultation, by=by, page=page)
        .order_by("pk")
        .values_list("role", "at")
    ),
    consultation=BigAutoField(),
    by=BigAutoField(),
    page=CharField(),
)
CAME_AFTER = Columns(
    lambda consultation, role, event: (
        CallEvent.objects.filter(consultation=consultation, role=role, pk__gt=event)
        .filter(what__in=CallEvent.COMING)
        .order_by("-pk")
        .values_list("page")[:1]
    ),
    consultation=BigAutoField(),
    role=CharField(),
    event=BigAutoField(),
)


def join_call(*, pk: int, by: User, page: str) -> CallEvent:
    """`page` of `by` comes into the call of this consultation, or is back.

    Raises MoveRefused when there is no call now.
    """
    found, before = together(
        IN_CALL.asked(consultation=pk), WERE_HERE.asked(consultation=pk, by=by.pk, page=page)
    )
    now, role = _with_seat(found[0], by)
    was_here = any(before_as == role for before_as, _at in before)
    what = CallEvent.What.BACK if was_here else CallEvent.What.JOINED
    event = CallEvent(consultation=now, by=by, role=role, page=page, what=what)
    insert_with(event, audited(f"call.{what}", now, by=by, patient=now.patient))
    return event


def seat_of(pk: int, by: User) -> tuple[Consultation, Role]:
    """The consultation as it is now, and whose seat `by` has. Raises MoveRefused when it is none."""
    return _with_seat(IN_CALL.all(consultation=pk)[0], by)


def _with_seat(now: Consultation, by: User) -> tuple[Consultation, Role]:
    role = role_of(now, by)
    if role is None or not _has_a_seat(now, role, by):
        raise MoveRefused("There is no call for this person now.")
    return now, role


def came_first(event: CallEvent) -> datetime:
    """When the page of this event came in for the first time."""
    if event.what == CallEvent.What.JOINED:
        return event.at
    came = WERE_HERE.columns(consultation=event.consultation_id, by=event.by_id, page=event.page)
    return next(cast(datetime, at) for role, at in came if role == event.role)


def page_after(event: CallEvent) -> str | None:
    """The page that took this seat since, if one did."""
    came = CAME_AFTER.columns(consultation=event.consultation_id, role=event.role, event=event.pk)
    return came[0][0] if came else None


def _has_a_seat(consultation: Consultation, role: Role, by: User) -> bool:
    """One seat for each role: the health worker at whose screen the patient sits, not a colleague
    who reads along; the specialist who is asked now, not one who has answered; the patient at home;
    while the patient sits at a health centre, the phone of the account once it was let in."""
    if not consultation.is_in_call:
        return False
    if role == Role.HEALTH_WORKER:
        return consultation.token is not None and consultation.token.brought_by_id == by.pk
    if role == Role.SPECIALIST:
        asked = consultation.opinions.filter(specialist__user=by, state__in=Opinion.OPEN)
        return asked.exists()
    return role == Role.DOCTOR or consultation.facility_id is None or consultation.lets_phone_in


@transaction.atomic
def let_phone_in(*, consultation: Consultation, by: User) -> None:
    """The patient said to the health worker `by` that the phone of the account may join the call.

    Raises MoveRefused when the patient does not sit before this health worker, or it may already.
    """
    here = Consultation.objects.open().filter(pk=consultation.pk, token__brought_by=by)
    if not here.filter(let_in_at=None).update(let_in_at=timezone.now(), let_in_by=by):
        raise MoveRefused("The patient does not sit here, or the phone may join already.")
    record("call.let_phone_in", consultation, by=by, patient=consultation.patient)
    broadcast.phone_let_in(consultation.pk, may_join=True)


@transaction.atomic
def put_phone_out(*, consultation: Consultation, by: User) -> None:
    """The patient takes it back: the phone is out of the call at once.

    Any health worker of the centre may note it. Raises MoveRefused when it was not let in.
    """
    let_in = Consultation.objects.open().filter(pk=consultation.pk, let_in_at__isnull=False)
    if not let_in.update(let_in_at=None, let_in_by=None):
        raise MoveRefused("The phone was not let into this call.")
    record("call.put_phone_out", consultation, by=by, patient=consultation.patient)
    broadcast.phone_let_in(consultation.pk, may_join=False)


def note_event(
    *, consultation: Consultation, by: User, role: str, what: str, page: str = ""
) -> None:
    """Write down that somebody left, was lost, or that the doctor chose a way on."""
    insert(CallEvent(consultation=consultation, by=by, role=role, what=what, page=page))


@transaction.atomic
def show_number(*, consultation: Consultation, by: User) -> str | None:
    """The number agreed on, for a doctor whose call broke off; None if the patient did not agree."""
    number = consultation.number_to_phone
    if not number or consultation.state != Consultation.State.IN_PROGRESS:
        return None
    role = role_of(consultation, by) or ""
    note_event(consultation=consultation, by=by, role=role, what=CallEvent.What.PHONE)
    record("phone.read", consultation, by=by, patient=consultation.patient)
    return number


@transaction.atomic
def go_on_in_text(*, consultation: Consultation, by: User) -> None:
    """The doctor gives sound and picture up; both pages are told. Raises MoveRefused."""
    if consultation.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    role = role_of(consultation, by) or ""
    note_event(consultation=consultation, by=by, role=role, what=CallEvent.What.TEXT)
    record("call.text", consultation, by=by, patient=consultation.patient)
    broadcast.call_in_text(consultation.pk)


@transaction.atomic
def put_back(*, consultation: Consultation, by: User) -> Consultation:
    """The patient did not come back: waits again, first in line. Raises MoveRefused.

    Chat, notes and the draft stay with the consultation; whichever doctor calls next goes on, and
    asks a specialist anew if need be.
    """
    queues.put_back(token=token_of(consultation))
    role = role_of(consultation, by) or ""
    consultation.put_back()
    withdraw_questions(consultation)
    note_event(consultation=consultation, by=by, role=role, what=CallEvent.What.PUT_BACK)
    record("consultation.put_back", consultation, by=by, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return consultation


def _is_one_of_two(consultation: Consultation, role: Role) -> bool:
    """The talk is the doctor's and the patient's seat's: no specialist and no phone at home ends it."""
    return role in (Role.DOCTOR, patients_seat(consultation))


@transaction.atomic
def report_abuse(*, consultation: Consultation, by: User, words: str) -> AbuseReport:
    """End the talk at once, keep the two apart for good, and leave a report. Raises MoveRefused.

    OPD identity is a phone number alone and has led to harassment of doctors, so a report needs no
    proof to end a talk; an officer reads it afterwards.
    """
    doctor, role = consultation.doctor, role_of(consultation, by)
    if doctor is None or role is None or not _is_one_of_two(consultation, role):
        raise MoveRefused("There is nobody to report.")
    if not consultation.is_written:
        queues.finish_token(token=token_of(consultation))
    consultation.send_back(Consultation.EndReason.REPORTED, "")
    close_what_is_open(consultation)
    queues.keep_apart(doctor=doctor, patient=consultation.patient)
    report = AbuseReport.objects.create(consultation=consultation, by=by, role=role, words=words)
    note_event(consultation=consultation, by=by, role=role, what=CallEvent.What.REPORTED)
    record("call.report", consultation, by=by, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return report
