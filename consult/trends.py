"""Earlier vital signs as small plots: coordinates for an SVG, worked out here and not in the page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import BigAutoField

from accounts.models import Patient
from consult.models import Observation
from consult.vitals import VITALS, Vital
from esanjeevani.sql.composed import Composed

POINTS = 12  # the newest
WIDTH, HEIGHT, EDGE = 120.0, 36.0, 4.0
MEASURED = Composed(
    lambda patient: Observation.objects.of_patient(patient).order_by("-taken_at", "-pk")[
        : POINTS * len(VITALS)
    ],
    patient=BigAutoField(),
)


@dataclass(frozen=True)
class Trend:
    """One kind over time. `line` is for a polyline in a viewBox of 120 by 36; `band` is the usual range."""

    vital: Vital
    rows: list[Observation]
    line: str
    band: tuple[str, str] | None  # y and height

    @property
    def last(self) -> Observation:
        return self.rows[-1]

    @property
    def dot(self) -> tuple[str, str]:
        x, y = self.line.split(" ")[-1].split(",")
        return x, y


def trends(patient: Patient) -> list[Trend]:
    """Of every kind that was measured at least twice, in one query."""
    by_kind: dict[str, list[Observation]] = defaultdict(list)
    for row in MEASURED.all(patient=patient.pk):
        if len(by_kind[row.kind]) < POINTS:
            row.patient = patient
            by_kind[row.kind].insert(0, row)
    return [
        _trend(vital, by_kind[vital.kind], patient.age)
        for vital in VITALS
        if len(by_kind[vital.kind]) > 1
    ]


def _trend(vital: Vital, rows: list[Observation], age: int) -> Trend:
    values = [row.value for row in rows]
    low, high = _scale(values, vital.usual(age) if vital.usual_by_age else None)

    def y(value: float) -> float:
        return HEIGHT - EDGE - (float(value) - low) / (high - low) * (HEIGHT - 2 * EDGE)

    step = (WIDTH - 2 * EDGE) / (len(rows) - 1)
    line = " ".join(
        f"{EDGE + index * step:.1f},{y(value):.1f}"
        for index, value in enumerate(map(float, values))
    )
    if not vital.usual_by_age:
        return Trend(vital, rows, line, None)
    top, bottom = y(min(vital.usual(age)[1], high)), y(max(vital.usual(age)[0], low))
    return Trend(vital, rows, line, (f"{top:.1f}", f"{max(0.0, bottom - top):.1f}"))


def _scale(values: Iterable[Decimal], usual: tuple[float, float] | None) -> tuple[float, float]:
    """From the lowest to the highest of what is drawn, never of no height."""
    drawn = [float(value) for value in values] + list(usual or ())
    low, high = min(drawn), max(drawn)
    return (low, high) if high > low else (low - 1, high + 1)
