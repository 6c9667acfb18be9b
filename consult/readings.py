"""Vital signs as people read them: blood pressure as one, the newest last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Patient
from consult.models import Consultation, Observation
from consult.of_consultation import OBSERVATIONS


@dataclass(frozen=True)
class Reading:
    """One line: what was measured, when, and whether somebody should look twice."""

    label: Any
    shown: str
    unit: str
    taken_at: datetime
    is_unusual: bool

    @property
    def when(self) -> str:
        """The time; before today with its day."""
        taken_at = timezone.localtime(self.taken_at)
        day = (
            "" if taken_at.date() == timezone.localdate() else f"{taken_at.day}.{taken_at.month}. "
        )
        return f"{day}{taken_at:%H:%M}"


def readings(consultation: Consultation) -> list[Reading]:
    """In the order in which they were taken, in one query."""
    return readings_of(OBSERVATIONS.all(consultation=consultation.pk), consultation.patient)


def readings_of(rows: list[Observation], patient: Patient) -> list[Reading]:
    """Where the rows are known already."""
    found: list[Reading] = []
    for row in rows:
        row.patient = patient
        lower = _lower_of(row, rows)
        if lower is not None:
            found.append(_pressure(row, lower))
        elif row.kind != "diastolic" or not _upper_of(row, rows):
            found.append(_single(row))
    return found


def _lower_of(row: Observation, rows: list[Observation]) -> Observation | None:
    """The other number of a blood pressure, measured in the same moment."""
    if row.kind != "systolic":
        return None
    same = (one for one in rows if one.kind == "diastolic" and one.taken_at == row.taken_at)
    return next(same, None)


def _upper_of(row: Observation, rows: list[Observation]) -> bool:
    return any(one.kind == "systolic" and one.taken_at == row.taken_at for one in rows)


def _pressure(upper: Observation, lower: Observation) -> Reading:
    lower.patient = upper.patient
    unusual = upper.is_unusual or lower.is_unusual
    both = f"{upper.shown}/{lower.shown}"
    return Reading(_("Blood pressure"), both, upper.vital.shown_unit, upper.taken_at, unusual)


def _single(row: Observation) -> Reading:
    return Reading(row.vital.label, row.shown, row.vital.shown_unit, row.taken_at, row.is_unusual)
