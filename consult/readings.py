"""Vital signs as people read them: blood pressure as one, the newest last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.models import Patient
from consult.models import Consultation, Observation
from consult.of_consultation import OBSERVATIONS
from consult.vitals import KINDS, Vital
from esanjeevani.today import today

PRESSURE = "pressure"  # both of its numbers


@dataclass(frozen=True)
class Reading:
    """One line: what was measured, when, and whether somebody should look twice."""

    kind: str
    shown: str
    unit: str
    when: str
    is_unusual: bool

    @property
    def label(self) -> Any:
        return _("Blood pressure") if self.kind == PRESSURE else Vital.of(self.kind).label


def readings(consultation: Consultation) -> tuple[Reading, ...]:
    """In the order in which they were taken, in one query."""
    return readings_of(OBSERVATIONS.of(consultation), consultation.patient)


def as_taken(rows: list[Observation]) -> list[Observation]:
    """In their order; those of one moment as the form asks for them."""
    return sorted(rows, key=lambda row: (row.taken_at, KINDS.index(row.kind)))


def readings_of(rows: list[Observation], patient: Patient) -> tuple[Reading, ...]:
    """Where the rows are known already."""
    found: list[Reading] = []
    said = {moment: _when(moment) for moment in {row.taken_at for row in rows}}
    for row in as_taken(rows):
        row.patient = patient
        lower = _lower_of(row, rows)
        if lower is not None:
            found.append(_pressure(row, lower, said[row.taken_at]))
        elif row.kind != "diastolic" or not _upper_of(row, rows):
            found.append(_single(row, said[row.taken_at]))
    return tuple(found)


def _lower_of(row: Observation, rows: list[Observation]) -> Observation | None:
    """The other number of a blood pressure, measured in the same moment."""
    if row.kind != "systolic":
        return None
    same = (one for one in rows if one.kind == "diastolic" and one.taken_at == row.taken_at)
    return next(same, None)


def _upper_of(row: Observation, rows: list[Observation]) -> bool:
    return any(one.kind == "systolic" and one.taken_at == row.taken_at for one in rows)


def _pressure(upper: Observation, lower: Observation, when: str) -> Reading:
    lower.patient = upper.patient
    unusual = upper.is_unusual or lower.is_unusual
    both = f"{upper.shown}/{lower.shown}"
    return Reading(PRESSURE, both, upper.vital.shown_unit, when, unusual)


def _single(row: Observation, when: str) -> Reading:
    return Reading(row.kind, row.shown, row.vital.shown_unit, when, row.is_unusual)


def _when(taken_at: datetime) -> str:
    """The time; before today with its day."""
    local = timezone.localtime(taken_at)
    is_today = local.date() == today()
    return date_format(local, "TIME_FORMAT" if is_today else "DATETIME_FORMAT")
