"""The call: who came and went, what really flowed, and what to do when it broke off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from accounts.actions import record
from accounts.models import User
from consult import broadcast
from consult.actions.room import close_what_is_open, token_of, withdraw_questions
from consult.models import AbuseReport, CallEvent, CallLeg, Consultation, Opinion
from consult.people import Role, role_of
from queues import actions as queues
from queues.models import MoveRefused

PATIENTS_SIDE = {Role.PATIENT, Role.HEALTH_WORKER}
CLOCKS_DIFFER_BY = timedelta(seconds=5)


@dataclass(frozen=True)
class Flow:
    """Whole seconds that one page received from one other participant since it was opened."""

    other: str
    video_seconds: int
    sound_seconds: int


class NotInTheCall(Exception):
    """Somebody reports for a page that never joined this call."""


@transaction.atomic
def join_call(*, consultation: Consultation, by: User, page: str) -> CallEvent:
    """`page` of `by` comes into the call, or is back. Raises MoveRefused when there is no call now."""
    now = Consultation.objects.with_people().get(pk=consultation.pk)
    role = role_of(now, by)
    if role is None or not _has_a_seat(now, role, by):
        raise MoveRefused("There is no call for this person now.")
    before = CallEvent.objects.filter(consultation=now, role=role, by=by, page=page)
    what = CallEvent.What.BACK if before.exists() else CallEvent.What.JOINED
    event = CallEvent.objects.create(consultation=now, by=by, role=role, page=page, what=what)
    record(f"call.{what}", now, by=by, patient=now.patient)
    return event


def page_after(event: CallEvent) -> str | None:
    """The page that took this seat since, if one did."""
    came = CallEvent.objects.filter(consultation=event.consultation_id, role=event.role)
    came = came.filter(what__in=CallEvent.COMING, pk__gt=event.pk)
    return came.order_by("pk").values_list("page", flat=True).last()


def _has_a_seat(consultation: Consultation, role: Role, by: User) -> bool:
    """One seat for each role: the health worker at whose screen the patient sits, not a colleague
    who reads along; the specialist who is asked now, not one who has answered; the patient at home,
    not a phone of the family while the patient sits at a health centre."""
    if consultation.state != Consultation.State.IN_PROGRESS or consultation.is_written:
        return False
    if role == Role.HEALTH_WORKER:
        return consultation.token is not None and consultation.token.brought_by_id == by.pk
    if role == Role.SPECIALIST:
        asked = consultation.opinions.filter(specialist__user=by, state__in=Opinion.OPEN)
        return asked.exists()
    return role == Role.DOCTOR or consultation.facility_id is None


def note_event(
    *, consultation: Consultation, by: User, role: str, what: str, page: str = ""
) -> None:
    """Write down that somebody left, was lost, or that the doctor chose a way on."""
    CallEvent.objects.create(consultation=consultation, by=by, role=role, what=what, page=page)


@transaction.atomic
def report_flow(
    *, consultation: Consultation, by: User, page: str, flows: Iterable[Flow]
) -> Consultation:
    """Keep what a page received so far and sum it up. Again, late or out of order changes nothing.

    Raises NotInTheCall. No page can have received for longer than it was there, whatever it says.
    """
    # One report at a time: the sum is of what all of them said.
    locked = (
        Consultation.objects.select_for_update(of=("self",)).with_people().get(pk=consultation.pk)
    )
    role = role_of(locked, by)
    joined = CallEvent.objects.filter(consultation=locked, by=by, role=role or "", page=page)
    first = joined.aggregate(first=Min("at"))["first"]
    if role is None or first is None:
        raise NotInTheCall
    longest = int((timezone.now() - first + CLOCKS_DIFFER_BY).total_seconds())
    for flow in flows:
        leg, _created = CallLeg.objects.get_or_create(
            consultation=locked, role=role, page=page, other=flow.other, defaults={"by": by}
        )
        leg.video_seconds = max(leg.video_seconds, min(flow.video_seconds, longest))
        leg.sound_seconds = max(leg.sound_seconds, min(flow.sound_seconds, longest))
        leg.reported_at = timezone.now()
        leg.save(update_fields=["video_seconds", "sound_seconds", "reported_at"])
    legs = list(CallLeg.objects.filter(consultation=locked))
    locked.video_seconds = _both_ways([(leg.role, leg.other, leg.video_seconds) for leg in legs])
    locked.sound_seconds = _both_ways([(leg.role, leg.other, leg.sound_seconds) for leg in legs])
    locked.save(update_fields=["video_seconds", "sound_seconds"])
    return locked


def _both_ways(legs: list[tuple[str, str, int]]) -> int:
    """The seconds that doctor and patient's side both received.

    The lesser of the two: neither side alone can make a talk longer than it was, and one who saw
    while the other did not was not face to face. On the patient's side the better screen counts.
    """
    received: dict[tuple[str, str], int] = {}
    for role, other, seconds in legs:
        received[role, other] = received.get((role, other), 0) + seconds
    of_doctor = [received.get((Role.DOCTOR, side), 0) for side in PATIENTS_SIDE]
    from_doctor = [received.get((side, Role.DOCTOR), 0) for side in PATIENTS_SIDE]
    return min(max(of_doctor), max(from_doctor))


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
    """The talk is the doctor's and the patient's side's: no specialist and no phone at home ends it."""
    sides = Role.PATIENT if consultation.facility_id is None else Role.HEALTH_WORKER
    return role in (Role.DOCTOR, sides)


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
