"""How several clinics stand at one moment: who waits, who is on duty, who is busy. In one statement.

SQL by hand, short to compose and prepared: it is asked whenever a health centre's page proposes a
clinic. The querysets of Token, Duty and KeptApart say the same, row by row.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.models import Patient
from esanjeevani.sql.any_of import in_shares, with_places
from esanjeevani.sql.composed import Question, together

# Who is busy is asked doctor by doctor: a join would walk over everybody who is held anywhere.
COUNT = """
SELECT clinic.id,
  (SELECT COUNT(*) FROM queue_token waiting
   WHERE waiting.clinic_id = clinic.id AND waiting.state = 'waiting'),
  COALESCE((SELECT today.last_number FROM queue_clinicday today
   WHERE today.clinic_id = clinic.id AND today.day = %s), 0),
  COUNT(duty.id), CAST(SUM(
    (SELECT COUNT(*) FROM queue_token held
     WHERE held.doctor_id = duty.doctor_id AND held.state IN ('called', 'serving'))) AS integer)
FROM queue_clinic clinic
LEFT JOIN queue_duty duty
  ON duty.clinic_id = clinic.id AND duty.ended_at IS NULL AND duty.paused_at IS NULL
WHERE clinic.id IN ({places}) GROUP BY clinic.id
"""
NOT_PARTED = """
  AND NOT EXISTS (SELECT 1 FROM queue_keptapart apart
    JOIN accounts_patient parted ON parted.id = apart.patient_id
    WHERE apart.doctor_id = duty.doctor_id AND (parted.id = %s OR parted.account_id = %s))"""
COUNT_FOR_PATIENT = COUNT.replace("\nWHERE clinic.id", f"{NOT_PARTED}\nWHERE clinic.id")
LINKED = "SELECT clinic_id FROM queue_hublink WHERE spoke_id = %s UNION SELECT CAST(%s AS bigint)"
COUNT_LINKED = COUNT.format(places=LINKED)
COUNT_LINKED_FOR_PATIENT = COUNT_FOR_PATIENT.format(places=LINKED)


class Counts(NamedTuple):
    """One clinic now."""

    waiting: int
    given: int  # numbers of today
    doctors: int  # on duty and not paused; of a patient's: those who may meet them
    busy: int  # of the doctors: with somebody


Found = Iterable[Sequence[Any]]


def count(clinic_ids: Iterable[int], patient: Patient | None = None) -> dict[int, Counts]:
    """Of each clinic; a doctor who was parted from `patient` after a report is none for them."""
    text = COUNT if patient is None else COUNT_FOR_PATIENT
    counts: dict[int, Counts] = {}
    for share in in_shares(clinic_ids):
        counts |= together(_asked(with_places(text, len(share)), patient, share))[0]
    return counts


def count_linked(spoke: int, patient: Patient | None = None, besides: int = 0) -> Question:
    """As count(), of all that are linked to a health centre, on whatever day, and of one clinic `besides`:
    to be asked together with the question which of them are linked today.
    """
    text = COUNT_LINKED if patient is None else COUNT_LINKED_FOR_PATIENT
    return _asked(text, patient, [spoke, besides])


def _asked(text: str, patient: Patient | None, clinics: list[int]) -> Question:
    known = [] if patient is None else [patient.pk, patient.account_id]
    return Question((text, [timezone.localdate(), *known, *clinics]), _by_clinic)


def _by_clinic(found: Found) -> dict[int, Counts]:
    return {pk: Counts(*numbers) for pk, *numbers in found}
