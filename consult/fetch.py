"""Fetching through the user: the page states who may see, a stranger gets 404 and is written down."""

from uuid import UUID

from accounts.gates import SignedIn, get_or_refuse
from consult.models import Consultation


def own_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of a patient of this account."""
    mine = Consultation.objects.with_people().of_patient_account(request.user)
    found = get_or_refuse(mine, Consultation.objects.all(), request, uid=uid)
    found.patient.account = request.user
    return found


def doctors_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Called or seen by this doctor."""
    mine = Consultation.objects.with_people().of_doctor(request.user.doctor)
    return get_or_refuse(mine, Consultation.objects.all(), request, uid=uid)


def visible_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of either side. The doctor's side asks for the second factor too."""
    visible = Consultation.objects.with_people().visible_to(request.user)
    if not request.user.is_verified():
        visible = visible.of_patient_account(request.user)
    return get_or_refuse(visible, Consultation.objects.all(), request, uid=uid)
