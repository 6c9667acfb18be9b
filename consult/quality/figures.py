"""The figures of a period, in a fixed number of queries however many rows there are."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.area import Area
from accounts.models import Doctor, Facility
from consult.models import Consultation, Dispensing, FollowUp, Prescription, PrescriptionLine
from consult.quality.columns import COLUMNS, SUMMED, Number, Tally
from consult.quality.period import Period
from queues.models import Clinic


class Seconds(Func):
    """Whole seconds from the second moment to the first."""

    arity = 2
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **how: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM (%(expressions)s)))::integer"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **how)

    def as_sqlite(self, compiler: Any, connection: Any, **how: Any) -> Any:
        template = "(django_timestamp_diff(%(expressions)s) / 1000000)"
        return self.as_sql(compiler, connection, template=template, **how)


@dataclass(frozen=True)
class Grouping:
    """Whose figures they are: `field` of a consultation names the row, `mine` whose an area's are."""

    label: str
    field: str
    model: type[Facility] | type[Clinic] | type[Doctor]
    mine: Callable[[Area, str], Q]


BY = {
    "centre": Grouping(
        "Health centres", "facility", Facility,
        lambda area, to: area.places(f"{to}facility__") & Q(**{f"{to}facility__isnull": False}),
    ),
    "clinic": Grouping(
        "Clinics", "clinic", Clinic, lambda area, to: area.clinics(f"{to}clinic__")
    ),
    "doctor": Grouping(
        "Doctors", "doctor", Doctor,
        lambda area, to: area.places(f"{to}doctor__facility__")
        & Q(**{f"{to}doctor__isnull": False}),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """One line of the table: a name, and a number for each of COLUMNS."""

    name: str
    place: str
    numbers: dict[str, Number]


@dataclass(frozen=True)
class Table:
    """All lines, their total, and per day how many were asked and how many of them returned."""

    rows: list[Figures]
    total: Figures
    days: dict[date, tuple[int, int]]


def figures_of(by: str, period: Period, area: Area) -> Table:
    """Of the consultations that were sent in the period, and the follow-ups set or due in it.

    In 6 queries. Raises KeyError for a `by` that is not in BY. A case that was returned and sent
    again counts once for each time it was sent.
    """
    grouping = BY[by]
    tallies: defaultdict[int, Tally] = defaultdict(Tally)
    asked = Consultation.objects.filter(
        grouping.mine(area, ""), _within("requested_at", period)
    ).order_by()
    _count_cases(tallies, asked, grouping)
    _count_waits(tallies, asked, grouping)
    _count_follow_ups(tallies, period, area, grouping)
    _count_prescriptions(tallies, period, area, grouping)
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    return Table(
        [_line(name, place, tallies[pk]) for pk, name, place in _names(grouping, list(tallies))],
        _line("Together", "", total),
        _per_day(asked, period),
    )


def _within(path: str, period: Period) -> Q:
    begin, end = period.moments
    return Q(**{f"{path}__gte": begin, f"{path}__lt": end})


def _count_cases(tallies: dict[int, Tally], asked: Any, grouping: Grouping) -> None:
    counted = {column.key: column.counted for column in COLUMNS if column.counted}
    for row in asked.values(row=F(grouping.field)).annotate(**_prefixed(counted | SUMMED)):
        _put(tallies, row)


def _prefixed(aggregates: dict[str, Any]) -> dict[str, Any]:
    """Named apart from the columns of the table itself."""
    return {f"sum_{key}": aggregate for key, aggregate in aggregates.items()}


def _put(tallies: dict[int, Tally], row: Mapping[str, Any]) -> None:
    counts = tallies[row["row"]].counts
    for name, number in row.items():
        if name.startswith("sum_"):
            counts[name.removeprefix("sum_")] += number or 0


def _count_waits(tallies: dict[int, Tally], asked: Any, grouping: Grouping) -> None:
    """By the whole minute, so that a million waits are no more rows than an hour has minutes.

    A patient who missed a call waited until the call that was answered.
    """
    called = asked.filter(token__called_at__isnull=False).annotate(
        waited=Seconds("token__called_at", "token__issued_at")
    )
    told = Q(token__expected_high__isnull=False)
    rows = called.values(row=F(grouping.field), minutes=F("waited") / 60).annotate(
        people=Count("pk"),
        sum_told=Count("pk", filter=told),
        sum_in_time=Count("pk", filter=told & Q(waited__lte=F("token__expected_high") * 60)),
    )
    for row in rows:
        _put(tallies, row)
        tallies[row["row"]].waits[row["minutes"]] += row["people"]


def _count_follow_ups(
    tallies: dict[int, Tally], period: Period, area: Area, grouping: Grouping
) -> None:
    """Due ones up to today: what is due tomorrow is nobody's omission. Overdue are those still open."""
    today = timezone.localdate()
    due = Q(due_on__gte=period.first, due_on__lte=min(period.last, today))
    made = _within("created_at", period)
    rows = (
        FollowUp.objects.filter(grouping.mine(area, "consultation__"), due | made)
        .order_by()
        .values(row=F(f"consultation__{grouping.field}"))
        .annotate(
            sum_follow_ups=Count("pk", filter=made),
            sum_due=Count("pk", filter=due),
            sum_in_time_closed=Count("pk", filter=due & Q(closed_at__date__lte=F("due_on"))),
            sum_overdue=Count("pk", filter=due & Q(closed_at=None, due_on__lt=today)),
        )
    )
    for row in rows:
        _put(tallies, row)


def _count_prescriptions(
    tallies: dict[int, Tally], period: Period, area: Area, grouping: Grouping
) -> None:
    """Of health centres only: a patient at home is given nothing out by us."""
    given = Q(dispensing__given=Dispensing.Given.GIVEN)
    missing = PrescriptionLine.objects.filter(~given, prescription=OuterRef("pk"))
    rows = (
        Prescription.objects.filter(
            grouping.mine(area, "consultation__"),
            _within("consultation__requested_at", period),
            consultation__facility__isnull=False,
            state=Prescription.State.ISSUED,
        )
        .order_by()
        .annotate(is_missing=Exists(missing))
        .values(row=F(f"consultation__{grouping.field}"))
        .annotate(
            sum_prescriptions=Count("pk"), sum_all_given=Count("pk", filter=Q(is_missing=False))
        )
    )
    for row in rows:
        _put(tallies, row)


def _names(grouping: Grouping, keys: list[int]) -> list[tuple[int, str, str]]:
    """Key, name and place of each row, by name."""
    if grouping.model is Doctor:
        doctors = Doctor.objects.filter(pk__in=keys).select_related("user", "facility")
        named = [(row.pk, row.user.name, str(row.facility or "")) for row in doctors]
    elif grouping.model is Clinic:
        clinics = Clinic.objects.filter(pk__in=keys).select_related("state")
        named = [(row.pk, row.name, row.state.name) for row in clinics]
    else:
        centres = Facility.objects.filter(pk__in=keys).select_related("district", "state")
        named = [(row.pk, row.name, (row.district or row.state).name) for row in centres]
    return sorted(named, key=lambda one: one[1:])


def _line(name: str, place: str, tally: Tally) -> Figures:
    return Figures(name, place, {column.key: column.value(tally) for column in COLUMNS})


def _per_day(asked: Any, period: Period) -> dict[date, tuple[int, int]]:
    back = Q(state=Consultation.State.RETURNED)
    rows = asked.annotate(day=TruncDate("requested_at")).values("day")
    counted = rows.annotate(sent=Count("pk"), returned=Count("pk", filter=back))
    found = {row["day"]: (row["sent"], row["returned"]) for row in counted}
    return {day: found.get(day, (0, 0)) for day in period.days()}
