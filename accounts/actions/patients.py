from django.db import transaction

from accounts.actions.audit import record
from accounts.models import Patient, User


@transaction.atomic
def register_patient(*, patient: Patient, by: User) -> Patient:
    """Save a new patient of `by`'s account."""
    patient.account = by
    patient.save(force_insert=True)
    record("patient.register", patient, by=by, patient=patient)
    return patient


@transaction.atomic
def update_patient(*, patient: Patient, by: User) -> Patient:
    """Save what was changed. What was printed on earlier prescriptions stays as it was."""
    patient.save(force_update=True)
    record("patient.update", patient, by=by, patient=patient)
    return patient
