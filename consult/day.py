"""A health centre's day on one page: what needs somebody first, then who waits, then the rest.

Read in a fixed number of queries, however many patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db.models import BigAutoField, DateField, DateTimeField, Exists, QuerySet
from django.utils import timezone

from accounts.models import Facility
from consult.models import Consultation, FollowUp, Instruction
from consult.models.consultations import ConsultationQuerySet
from esanjeevani.sql.composed import Columns, Composed, Question, together
from esanjeevani.today import midnight
from queues.counts import Counts, count

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


def _came_back(facility: Any, back_since: Any) -> ConsultationQuerySet:
    rows = Consultation.objects.came_back(facility).filter(ended_at__gt=back_since)
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
    """In the order of KINDS."""
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
# By the fields of Day, with what each asks besides the health centre.
KINDS: dict[str, tuple[Composed[Any], list[str]]] = {
    "open": (OPEN, []),
    "drafts": (Composed(_drafts, **_OF), []),
    "came_back": (Composed(_came_back, **_OF, back_since=DateTimeField()), ["back_since"]),
    "done": (Composed(_done, **_OF, since=DateTimeField()), ["since"]),
    "instructions": (Composed(_instructions, **_OF), []),
    "follow_ups": (Composed(_follow_ups, **_OF, until=DateField()), ["until"]),
}


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


@dataclass(frozen=True)
class Look:
    """Of which kinds of rows a health centre has any today: most of it mostly is not there."""

    facility: int
    times: dict[str, Any]
    holds: Sequence[bool]

    def questions(self) -> dict[str, Question]:
        """One for each kind of which there is anything."""
        there = [kind for kind, holds in zip(KINDS, self.holds, strict=True) if holds]
        return {kind: self._question(*KINDS[kind]) for kind in there}

    def _question(self, rows: Composed[Any], times: list[str]) -> Question:
        return rows.asked(facility=self.facility, **{name: self.times[name] for name in times})


def look_at(facility: int) -> Question:
    """The Look at a health centre's day, by its key, to be asked together with others."""
    times: dict[str, Any] = {
        "since": midnight(),
        "back_since": timezone.now() - CAME_BACK_FOR,
        "until": timezone.localdate() + DUE_SOON,
    }
    look = LOOK.asked(facility=facility, **times)
    return Question(look.text, lambda found: Look(facility, times, found[0]))


def rows_of(look: Look, counts: dict[int, Counts], *beside: Question) -> Day:
    """The rows of a day, and in the same trip what is asked `beside` them, whose answers nobody needs.

    `counts` say of clinics how they stand; others are asked.
    """
    asked = look.questions()
    found = together(*asked.values(), *beside)
    rows = dict(zip(asked, found[: len(asked)], strict=True))
    return replace(_lines(rows.pop("open", []), counts), **rows)


def read_lines(facility: Facility, besides: Consultation) -> Day:
    """Only what is open; `besides` is shown elsewhere. In 2 queries."""
    return _lines([one for one in OPEN.all(facility=facility.pk) if one != besides], {})


def _lines(cases: list[Consultation], counts: dict[int, Counts]) -> Day:
    by_place: dict[str, list[Consultation]] = {"called": [], "serving": [], "waiting": []}
    written = []
    for one in cases:
        if one.token is None:
            written.append(one)
            continue
        one.token.clinic = one.clinic
        if one.token.state in by_place:
            by_place[one.token.state].append(one)
    unstaffed = _unstaffed({one.clinic_id for one in by_place["waiting"]}, counts)
    # stable: else in order
    by_place["waiting"].sort(key=lambda one: one.clinic_id not in unstaffed)
    return Day(
        called=by_place["called"],
        serving=by_place["serving"],
        waiting=by_place["waiting"],
        written=written,
        unstaffed=unstaffed,
    )


def _unstaffed(clinic_ids: set[int], counts: dict[int, Counts]) -> set[int]:
    """Where nobody calls now: those patients must not be left to wait unseen."""
    now = counts | count(clinic_ids - counts.keys())
    return {pk for pk in clinic_ids if not now[pk].doctors}
