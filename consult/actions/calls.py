"""The call: who came and went, what really flowed, and what to do when it broke off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import connection, transaction
from django.db.models import BigAutoField, CharField
from django.utils import timezone

from accounts.actions import record
from accounts.models import User
from consult import broadcast
from consult.actions.room import close_what_is_open, token_of, withdraw_questions
from consult.models import AbuseReport, CallEvent, CallLeg, Consultation, Opinion
from consult.people import Role, patients_seat, role_of
from esanjeevani.composed import Columns, Composed
from esanjeevani.prepared import prepared_cursor
from esanjeevani.rows import insert
from queues import actions as queues
from queues.models import MoveRefused

CLOCKS_DIFFER_BY = timedelta(seconds=5)
# Asked by each page that comes into a call, so they are composed once.
WITH_PEOPLE = Composed(
    lambda consultation: Consultation.objects.with_people().filter(pk=consultation),
    consultation=BigAutoField(),
)
WERE_HERE = Columns(
    lambda consultation, role, by, page: (
        CallEvent.objects.filter(consultation=consultation, role=role, by=by, page=page)
        .order_by("pk")
        .values_list("at")[:1]
    ),
    consultation=BigAutoField(),
    role=CharField(),
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


@dataclass(frozen=True)
class Flow:
    """Whole seconds that one page received from one other participant since it was opened."""

    other: str
    video_seconds: int
    sound_seconds: int


@transaction.atomic
def join_call(*, consultation: Consultation, by: User, page: str) -> CallEvent:
    """`page` of `by` comes into the call, or is back. Raises MoveRefused when there is no call now."""
    now, role = seat_of(consultation, by)
    before = WERE_HERE.columns(consultation=now.pk, role=role, by=by.pk, page=page)
    what = CallEvent.What.BACK if before else CallEvent.What.JOINED
    event = CallEvent(consultation=now, by=by, role=role, page=page, what=what)
    insert(event)
    record(f"call.{what}", now, by=by, patient=now.patient)
    return event


def seat_of(consultation: Consultation, by: User) -> tuple[Consultation, Role]:
    """The consultation as it is now, and whose seat `by` has. Raises MoveRefused when it is none."""
    now = WITH_PEOPLE.all(consultation=consultation.pk)[0]
    role = role_of(now, by)
    if role is None or not _has_a_seat(now, role, by):
        raise MoveRefused("There is no call for this person now.")
    return now, role


def came_first(event: CallEvent) -> datetime:
    """When the page of this event came in for the first time."""
    ((at,),) = WERE_HERE.columns(
        consultation=event.consultation_id, role=event.role, by=event.by_id, page=event.page
    )
    return cast(datetime, at)


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


# SQL by hand: seconds and their sum only grow, whatever comes late or twice. So nothing is locked: of
# two reports at the same time one sees the other's seconds, and its sum stays.
KEEP = """
INSERT INTO consult_callleg AS leg
  (consultation_id, by_id, role, page, other, video_seconds, sound_seconds, reported_at)
VALUES {rows}
ON CONFLICT (consultation_id, role, page, other) DO UPDATE SET
  video_seconds = CASE WHEN excluded.video_seconds > leg.video_seconds
    THEN excluded.video_seconds ELSE leg.video_seconds END,
  sound_seconds = CASE WHEN excluded.sound_seconds > leg.sound_seconds
    THEN excluded.sound_seconds ELSE leg.sound_seconds END,
  reported_at = excluded.reported_at
"""
LEG = "(%s, %s, %s, %s, %s, %s, %s, %s)"
GROW = """
UPDATE consult_consultation SET
  video_seconds = CASE WHEN video_seconds < %(video)s THEN %(video)s ELSE video_seconds END,
  sound_seconds = CASE WHEN sound_seconds < %(sound)s THEN %(sound)s ELSE sound_seconds END
WHERE id = %(consultation)s AND (video_seconds < %(video)s OR sound_seconds < %(sound)s)
"""
LEGS = Composed(
    lambda consultation: CallLeg.objects.filter(consultation=consultation),
    consultation=BigAutoField(),
)


def report_flow(*, came: CallEvent, since: datetime, flows: Iterable[Flow]) -> None:
    """Keep what the page that came received so far and sum it up; `since` is came_first() of it.

    Again, late or out of order changes nothing. No page can have received for longer than it was there,
    whatever it says. Not in a transaction: a sum is read after its parts are there for others too.
    """
    now = timezone.now()
    at = connection.ops.adapt_datetimefield_value(now)
    longest = int((now - since + CLOCKS_DIFFER_BY).total_seconds())
    values: list[Any] = []
    for flow in flows:
        seconds = [min(flow.video_seconds, longest), min(flow.sound_seconds, longest)]
        values += [came.consultation_id, came.by_id, came.role, came.page, flow.other, *seconds, at]
    patient = patients_seat(came.consultation)
    rows = ", ".join([LEG] * (len(values) // LEG.count("%s")))
    with prepared_cursor() as cursor:
        cursor.execute(KEEP.format(rows=rows), values)
        legs = LEGS.all(consultation=came.consultation_id)
        sums = {
            "consultation": came.consultation_id,
            "video": _both_ways(
                patient, [(leg.role, leg.other, leg.video_seconds) for leg in legs]
            ),
            "sound": _both_ways(
                patient, [(leg.role, leg.other, leg.sound_seconds) for leg in legs]
            ),
        }
        cursor.execute(GROW, sums)


def _both_ways(patient: Role, legs: list[tuple[str, str, int]]) -> int:
    """The seconds that the doctor and the `patient`'s seat both received.

    The lesser of the two: neither side alone can make a talk longer than it was, and one who saw
    while the other did not was not face to face.
    """
    received: dict[tuple[str, str], int] = {}
    for role, other, seconds in legs:
        received[role, other] = received.get((role, other), 0) + seconds
    ways = [(Role.DOCTOR, patient), (patient, Role.DOCTOR)]
    return min(received.get(way, 0) for way in ways)


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
