"""A health centre's day on one page: what needs somebody first, then who waits, then the rest.

Read in a fixed number of queries, however many patients.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BigAutoField, DateField, DateTimeField, Exists, QuerySet
from django.utils import timezone

from accounts.models import AuditEvent, Facility
from consult.models import Consultation, FollowUp, Instruction
from consult.models.consultations import ConsultationQuerySet
from esanjeevani.composed import Columns, Composed, Question
from esanjeevani.today import midnight
from queues.counts import count

CAME_BACK_FOR = timedelta(days=14)
DUE_SOON = timedelta(days=3)
SHOWN = 100  # rows of each kind

State = Consultation.State


# --- what the desk asks, each composed once; no more of each row than the desk shows ---------------
PERSON = ["patient__name", "patient__sex", "patient__birth_date"]
PLACE = [
    "token__number", "token__state", "token__priority", "token__passes", "token__called_at",
]  # fmt: skip
CLINIC = ["clinic__name", "clinic__names", "clinic__call_window"]
DOCTOR = ["doctor__user__name"]


def _cases(facility: Any) -> ConsultationQuerySet:
    return Consultation.objects.of_centre(facility)


def _open(facility: Any) -> ConsultationQuerySet:
    rows = _cases(facility).open().select_related("patient", "clinic", "token", "doctor__user")
    rows = rows.only("uid", "state", "requested_at", *PERSON, *CLINIC, *PLACE, *DOCTOR)
    return rows.order_by("requested_at")[:SHOWN]


def _drafts(facility: Any) -> ConsultationQuerySet:
    rows = _cases(facility).filter(state=State.DRAFT).select_related("patient")
    return rows.only("uid", "complaint", *PERSON).order_by("-created_at")[:SHOWN]


def _came_back(facility: Any, since: Any) -> ConsultationQuerySet:
    rows = Consultation.objects.came_back(facility).filter(ended_at__gt=since)
    rows = rows.select_related("patient", "clinic", "suggested_clinic")
    return rows.order_by("-ended_at")[:SHOWN]


def _done(facility: Any, since: Any) -> ConsultationQuerySet:
    rows = _cases(facility).filter(state=State.COMPLETED, ended_at__gte=since)
    rows = rows.select_related("patient", "doctor__user").only("uid", "ended_at", *PERSON, *DOCTOR)
    return rows.order_by("-ended_at")[:SHOWN]


def _instructions(facility: Any) -> "QuerySet[Instruction]":
    rows = Instruction.objects.filter(
        done_at=None, consultation__facility=facility, consultation__state__in=Consultation.OPEN
    )
    return rows.select_related("consultation__patient", "asked_by").order_by("pk")


def _follow_ups(facility: Any, until: Any) -> "QuerySet[FollowUp]":
    """Due, overdue, and those of the next days."""
    rows = FollowUp.objects.of_centre(facility).open().filter(due_on__lte=until)
    return rows.select_related("patient", "consultation__note").order_by("due_on")[:SHOWN]


def _look(facility: Any, back_since: Any, since: Any, until: Any) -> "QuerySet[Any, Any]":
    """In the order of the fields of _DayHolds."""
    there: list[QuerySet[Any]] = [
        _open(facility),
        _drafts(facility),
        _came_back(facility, back_since),
        _done(facility, since),
        _instructions(facility),
        _follow_ups(facility, until),
    ]
    return Facility.objects.filter(pk=facility).values_list(*map(Exists, there))


_OF: dict[str, Any] = {"facility": BigAutoField()}
LOOK = Columns(_look, **_OF, back_since=DateTimeField(), since=DateTimeField(), until=DateField())
OPEN = Composed(_open, **_OF)
DRAFTS = Composed(_drafts, **_OF)
CAME_BACK = Composed(_came_back, **_OF, since=DateTimeField())
DONE = Composed(_done, **_OF, since=DateTimeField())
INSTRUCTIONS = Composed(_instructions, **_OF)
FOLLOW_UPS = Composed(_follow_ups, **_OF, until=DateField())


# --- the desk ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """The rows of the desk, each in the order in which somebody should look at them."""

    called: list[Consultation] = field(default_factory=list)
    serving: list[Consultation] = field(default_factory=list)
    came_back: list[Consultation] = field(default_factory=list)
    waiting: list[Consultation] = field(default_factory=list)
    written: list[Consultation] = field(default_factory=list)
    drafts: list[Consultation] = field(default_factory=list)
    done: list[Consultation] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    unstaffed: set[int] = field(default_factory=set)  # clinics whose last doctor has left

    @property
    def is_empty(self) -> bool:
        lines = self.called or self.serving or self.waiting
        return not (lines or self.came_back or self.written or self.drafts or self.done)


class _DayHolds(NamedTuple):
    """Whether there is any of each: most of it mostly is not there."""

    open: bool
    drafts: bool
    came_back: bool
    done: bool
    instructions: bool
    follow_ups: bool


def day_of(facility: Facility, seen: AuditEvent | None = None) -> Question:
    """One query, and one for each kind of which there is anything; 2 for what is open.

    `seen` says who reads it.
    """
    since, back_since = midnight(), timezone.now() - CAME_BACK_FOR
    until = timezone.localdate() + DUE_SOON
    times: dict[str, Any] = {"since": since, "back_since": back_since, "until": until}
    look = LOOK.asked(seen, facility=facility.pk, **times)
    return Question(look.text, lambda found: _held(facility, _DayHolds(*found[0]), **times))


def _held(
    facility: Facility, holds: _DayHolds, since: datetime, back_since: datetime, until: date
) -> Day:
    of = facility.pk
    return replace(
        read_lines(facility) if holds.open else Day(),
        came_back=CAME_BACK.all(facility=of, since=back_since) if holds.came_back else [],
        drafts=DRAFTS.all(facility=of) if holds.drafts else [],
        done=DONE.all(facility=of, since=since) if holds.done else [],
        instructions=INSTRUCTIONS.all(facility=of) if holds.instructions else [],
        follow_ups=FOLLOW_UPS.all(facility=of, until=until) if holds.follow_ups else [],
    )


def read_lines(facility: Facility, besides: Consultation | None = None) -> Day:
    """Only what is open; `besides` is shown elsewhere. In 2 queries."""
    by_place: dict[str, list[Consultation]] = {"called": [], "serving": [], "waiting": []}
    written = []
    for one in OPEN.all(facility=facility.pk):
        if one == besides:
            continue
        if one.token is None:
            written.append(one)
            continue
        one.token.clinic = one.clinic
        if one.token.state in by_place:
            by_place[one.token.state].append(one)
    unstaffed = _unstaffed({one.clinic_id for one in by_place["waiting"]})
    # stable: else in order
    by_place["waiting"].sort(key=lambda one: one.clinic_id not in unstaffed)
    return Day(
        called=by_place["called"],
        serving=by_place["serving"],
        waiting=by_place["waiting"],
        written=written,
        unstaffed=unstaffed,
    )


def _unstaffed(clinic_ids: set[int]) -> set[int]:
    """Where nobody calls now: those patients must not be left to wait unseen."""
    return {pk for pk, now in count(clinic_ids).items() if not now.doctors}
