"""Who is who in a consultation: patient, health worker, doctor, specialist."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Post, User
from consult.models import Consultation


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
    if consultation.opinions.filter(specialist__user=user).exists():
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
    posts = Post.objects.at_centres()
    return posts.filter(user=user, facility=consultation.facility_id).exists()
