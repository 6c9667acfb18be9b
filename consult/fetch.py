"""Fetching through the user: the page states who may see, a stranger gets 404 and is written down."""

from uuid import UUID

from accounts.gates import AtCentre, SignedIn, get_or_refuse
from accounts.models import Patient
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


def booked_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of a patient of this account, and asked for by themselves: not by a health centre."""
    mine = Consultation.objects.with_people().of_patient_account(request.user).filter(facility=None)
    found = get_or_refuse(mine, Consultation.objects.all(), request, uid=uid)
    found.patient.account = request.user
    return found


def centres_consultation(request: AtCentre, uid: UUID) -> Consultation:
    """Of this health centre."""
    ours = Consultation.objects.with_people().of_centre(request.facility)
    found = get_or_refuse(ours, Consultation.objects.all(), request, uid=uid)
    found.facility = request.facility
    return found


def known_patient(request: AtCentre, uid: UUID) -> Patient:
    """Whom this health centre has had before it."""
    known = Patient.objects.known_at(request.facility).select_related(
        "account", "state", "district"
    )
    return get_or_refuse(known, Patient.objects.all(), request, uid=uid)


def visible_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of any side. All but the patient's ask for the second factor too."""
    visible = Consultation.objects.with_people().visible_to(request.user)
    if not request.user.is_verified():
        visible = visible.of_patient_account(request.user)
    return get_or_refuse(visible, Consultation.objects.all(), request, uid=uid)
