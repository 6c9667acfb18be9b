"""Who is who in a consultation: patient, health worker, doctor, specialist."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from consult.models import Consultation


class Role(models.TextChoices):
    """What somebody is in one consultation."""

    PATIENT = "patient", _("Patient")
    HEALTH_WORKER = "health_worker", _("Health worker")
    DOCTOR = "doctor", _("Doctor")
    SPECIALIST = "specialist", _("Specialist")


def role_of(consultation: Consultation, user: User) -> Role | None:
    """What `user` is in this consultation; None for a stranger."""
    if consultation.patient.account_id == user.pk:
        return Role.PATIENT
    if consultation.doctor is not None and consultation.doctor.user_id == user.pk:
        return Role.DOCTOR
    return None
