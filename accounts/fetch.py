"""Fetching through the user: a stranger gets 404 and is written down."""

from uuid import UUID

from django.db.models import BigAutoField, UUIDField

from accounts.gates import SignedIn, found_or_refused
from accounts.models import Patient
from esanjeevani.sql.composed import Composed

OWN_PATIENT = Composed(
    lambda account, patient: Patient.objects.of(account).filter(uid=patient),
    account=BigAutoField(),
    patient=UUIDField(),
)


def own_patient(request: SignedIn, uid: UUID) -> Patient:
    """One of the people of this account."""
    found = OWN_PATIENT.first(account=request.user.pk, patient=uid)
    return found_or_refused(found, Patient.objects.all(), request, uid=uid)
