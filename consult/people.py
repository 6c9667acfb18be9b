"""Who is who in a consultation: patient, health worker, doctor, specialist."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Post, User
from consult.models import Consultation, Opinion
from esanjeevani.sql.composed import Columns

# Asked by each page of a call that comes, so they are composed once.
HAS_JOINED = Columns(
    lambda consultation, user: (
        Opinion.objects.filter(consultation=consultation, specialist__user=user)
        .order_by()
        .values_list("pk")[:1]
    ),
    consultation=models.BigAutoField(),
    user=models.BigAutoField(),
)
WORKS_AT = Columns(
    lambda user, facility, now: (
        Post.objects.at_centres(now)
        .filter(user=user, facility=facility)
        .order_by()
        .values_list("pk")[:1]
    ),
    user=models.BigAutoField(),
    facility=models.BigAutoField(),
    now=models.DateTimeField(),
)


class Role(models.TextChoices):
    """What somebody is in one consultation."""

    PATIENT = "patient", _("Patient")
    HEALTH_WORKER = "health_worker", _("Health worker")
    DOCTOR = "doctor", _("Doctor")
    SPECIALIST = "specialist", _("Specialist")


def role_of(consultation: Consultation, user: User) -> Role | None:
    """What `user` is in this consultation; None for a stranger. The row says it, not the page."""
    if consultation.doctor is not None and consultation.doctor.user_id == user.pk:
        return Role.DOCTOR
    if _works_there(consultation, user):
        return Role.HEALTH_WORKER
    if HAS_JOINED.columns(consultation=consultation.pk, user=user.pk):
        return Role.SPECIALIST
    if consultation.patient.account_id == user.pk:
        return Role.PATIENT
    return None


def patients_seat(consultation: Consultation) -> Role:
    """Where the patient sits: at home, or before the health worker's screen.

    What the call's rules ask of the patient they ask of this seat; a phone that was let in besides
    is nobody's presence.
    """
    return Role.PATIENT if consultation.facility_id is None else Role.HEALTH_WORKER


def _works_there(consultation: Consultation, user: User) -> bool:
    if consultation.facility_id is None:
        return False
    facility, now = consultation.facility_id, timezone.now()
    return bool(WORKS_AT.columns(user=user.pk, facility=facility, now=now))
