"""What decides at the clinic's door, when a token is taken: one look, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.models import Patient
from esanjeevani.sql.composed import Question
from queues.models import Clinic
from queues.models.clinics import MIDNIGHT

# ClinicHours.covers() and the querysets of Token, Duty and KeptApart, side by side. A patient put back
# is called like an emergency.
LOOK = """
SELECT
  EXISTS (SELECT 1 FROM queue_clinichours WHERE clinic_id = %(clinic)s AND weekday = %(weekday)s
    AND opens <= %(time)s AND (closes = %(midnight)s OR closes > %(time)s)),
  COALESCE((SELECT last_number FROM queue_clinicday
    WHERE clinic_id = %(clinic)s AND day = %(day)s), 0),
  line.emergencies, line.before, line.ordinary, duty.doctors, duty.busy
FROM (
  SELECT COUNT(*) FILTER (WHERE priority = 0 OR comes_first) AS emergencies,
    COUNT(*) FILTER (WHERE priority = 1 AND NOT comes_first) AS before,
    COUNT(*) FILTER (WHERE priority = 2 AND NOT comes_first) AS ordinary
  FROM queue_token WHERE clinic_id = %(clinic)s AND state = 'waiting'
) AS line, (
  SELECT COUNT(*) AS doctors, COUNT(held.doctor_id) AS busy
  FROM queue_duty duty
  LEFT JOIN queue_token held
    ON held.doctor_id = duty.doctor_id AND held.state IN ('called', 'serving')
  WHERE duty.clinic_id = %(clinic)s AND duty.ended_at IS NULL AND duty.paused_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM queue_keptapart apart
      JOIN accounts_patient parted ON parted.id = apart.patient_id
      WHERE apart.doctor_id = duty.doctor_id
        AND (parted.id = %(patient)s OR parted.account_id = %(account)s))
) AS duty
"""


@dataclass(frozen=True)
class Look:
    """One clinic at one moment, as one patient finds it."""

    is_open: bool  # by its hours
    given: int  # numbers of today
    waiting: tuple[int, int, int]  # of each priority
    doctors: int  # on duty, not paused, and not kept apart from the patient
    busy: int  # of those: with somebody


def look(clinic: Clinic, patient: Patient) -> Question:
    """A Look, to be asked together with others."""
    now = timezone.localtime()
    asked = {
        "clinic": clinic.pk,
        "patient": patient.pk,
        "account": patient.account_id,
        "day": now.date(),
        "weekday": now.weekday(),
        "time": now.time().replace(microsecond=0),
        "midnight": MIDNIGHT,
    }
    return Question((LOOK, asked), _read)


def _read(found: Sequence[Sequence[Any]]) -> Look:
    [(is_open, given, emergencies, before, ordinary, doctors, busy)] = found
    return Look(bool(is_open), given, (emergencies, before, ordinary), doctors, busy)
