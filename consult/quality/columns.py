"""What is counted of each health centre, clinic or doctor, and how it is written."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Aggregate, Count, Q, Sum

from consult.models.course import Course

Reason = Course.EndReason
State = Course.State
Number = int | float | None


@dataclass
class Tally:
    """Sums that can be added up, and how many people waited how many whole minutes."""

    counts: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.counts.update(other.counts)
        self.waits.update(other.waits)

    def percent(self, part: str, whole: str) -> Number:
        """In whole percent; None of nothing."""
        if not self.counts[whole]:
            return None
        return round(100 * self.counts[part] / self.counts[whole])

    def mean(self, total: str, rows: str) -> Number:
        return round(self.counts[total] / self.counts[rows]) if self.counts[rows] else None

    def median_wait(self) -> Number:
        """Whole minutes; between two of them where the middle is."""
        people = self.waits.total()
        if not people:
            return None
        lower, upper = self._minutes_of((people - 1) // 2), self._minutes_of(people // 2)
        return lower if lower == upper else (lower + upper) / 2

    def _minutes_of(self, place: int) -> int:
        """How long the one at this place waited, counted from 0 at the shortest wait."""
        for minutes in sorted(self.waits):
            place -= self.waits[minutes]
            if place < 0:
                return minutes
        raise IndexError


@dataclass(frozen=True)
class Column:
    """One figure. `counted` is summed over the consultations themselves; else `of` works it out."""

    key: str
    heading: str
    group: str
    counted: Aggregate | None = None
    of: Callable[[Tally], Number] | None = None
    unit: str = ""
    says: str = ""

    def value(self, tally: Tally) -> Number:
        return self.of(tally) if self.of else tally.counts[self.key]


def _count(**fields: object) -> Aggregate:
    return Count("pk", filter=Q(**fields))


def _returned(reason: Reason) -> Aggregate:
    return _count(state=State.RETURNED, end_reason=reason)


CASES, BACK, WAIT, MEDIA, AFTER, CARE = (
    "Consultations", "Returned because", "Waiting", "Talk", "Follow-ups", "Case and medicine",
)  # fmt: skip

COLUMNS = [
    Column("asked", "Asked", CASES, Count("pk"), says="sent in these days"),
    Column(
        "completed", "Completed", CASES,
        Count("pk", filter=Q(state=State.COMPLETED) & ~Q(end_reason=Reason.TRANSFERRED)),
    ),
    Column("transferred", "Handed over", CASES, _count(end_reason=Reason.TRANSFERRED)),
    Column("in_writing", "In writing", CASES, _count(is_written=True)),
    Column("emergencies", "Emergency", CASES, _count(is_emergency=True)),
    Column(
        "unanswered", "No doctor reached", CASES,
        _count(
            state=State.CANCELLED, end_reason__in=[Reason.LEFT, Reason.NO_SHOW, Reason.DAY_OVER]
        ),
        says="left the line, missed two calls, or the clinic's day ended",
    ),
    Column(
        "returned_percent", "Returned", BACK, unit="%",
        of=lambda tally: tally.percent("returned", "asked"),
    ),
    Column("returned", "In all", BACK, _count(state=State.RETURNED)),
    Column("wrong_speciality", "Speciality", BACK, _returned(Reason.WRONG_SPECIALITY)),
    Column("not_enough", "Not enough said", BACK, _returned(Reason.NOT_ENOUGH)),
    Column("patient_absent", "Patient absent", BACK, _returned(Reason.PATIENT_ABSENT)),
    Column("needs_in_person", "Must be seen", BACK, _returned(Reason.NEEDS_IN_PERSON)),
    Column("other", "Other", BACK, _returned(Reason.OTHER)),
    Column("reported", "Reported", BACK, _returned(Reason.REPORTED), says="ended with a report"),
    Column(
        "in_time_percent", "As told", WAIT, unit="%",
        of=lambda tally: tally.percent("in_time", "told"),
        says="called within the longest wait that was told when the token was given",
    ),
    Column("median_wait", "Median", WAIT, unit="min", of=Tally.median_wait),
    Column(
        "video_minutes", "Video", MEDIA, unit="min",
        of=lambda tally: tally.counts["video_seconds"] // 60,
        says="whole minutes in which doctor and patient both saw each other",
    ),
    Column(
        "sound_minutes", "Sound", MEDIA, unit="min",
        of=lambda tally: tally.counts["sound_seconds"] // 60,
        says="whole minutes in which doctor and patient both heard each other",
    ),
    Column("follow_ups", "Set", AFTER),
    Column("due", "Due", AFTER, says="fell due in these days"),
    Column("in_time_closed", "Closed in time", AFTER),
    Column("overdue", "Overdue", AFTER),
    Column(
        "completeness_mean", "Case filled", CARE, unit="%",
        of=lambda tally: tally.mean("completeness", "with_completeness"),
        says="mean of what a whole case says, when it was sent",
    ),
    Column("prescriptions", "Prescriptions", CARE),
    Column("all_given", "All given", CARE, says="every medicine given out in full at the centre"),
]  # fmt: skip

# Summed for the columns that are worked out.
SUMMED: dict[str, Aggregate] = {
    "completeness": Sum("completeness"),
    "with_completeness": Count("completeness"),
    "video_seconds": Sum("video_seconds"),
    "sound_seconds": Sum("sound_seconds"),
}
