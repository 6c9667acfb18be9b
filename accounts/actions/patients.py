from django.db import transaction

from accounts.actions.audit import record
from accounts.models import Patient, User

ALIKE_SHOWN = 5


class LooksAlike(Exception):
    """Perhaps this person is registered already: `patients` are much like it."""

    def __init__(self, patients: list[Patient]) -> None:
        super().__init__(f"{len(patients)} alike")
        self.patients = patients


@transaction.atomic
def register_patient(*, patient: Patient, by: User, sure: bool = False) -> Patient:
    """Save a new patient of `by`'s account. Raises LooksAlike, unless somebody is `sure`.

    The account is locked meanwhile: of a double click, the second finds whom the first saved.
    """
    User.objects.select_for_update().get(pk=by.pk)
    patient.account = by
    if not sure and (alike := list(Patient.objects.like(patient)[:ALIKE_SHOWN])):
        raise LooksAlike(alike)
    patient.save(force_insert=True)
    record("patient.register", patient, by=by, patient=patient)
    return patient


@transaction.atomic
def update_patient(*, patient: Patient, by: User) -> Patient:
    """Save what was changed. What was printed on earlier prescriptions stays as it was.

    Another ABHA number or address is no longer the one that the gateway has verified.
    """
    before = Patient.objects.values_list("abha_number", "abha_address").get(pk=patient.pk)
    if before != (patient.abha_number, patient.abha_address):
        patient.abha_verified_at = None
    patient.save(force_update=True)
    record("patient.update", patient, by=by, patient=patient)
    return patient
