from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.identifiers import check_hpr_id
from accounts.models.base import Named, Serves
from accounts.models.patients import Patient
from accounts.models.places import Facility


class Speciality(Named):
    """One field of medicine that a clinic or a doctor works in, and for whom it is plausible."""

    code = models.SlugField(unique=True)
    is_general = models.BooleanField(
        "general practice", default=False, help_text="Where a patient is seen first."
    )
    serves = models.CharField(max_length=6, choices=Serves.choices, default=Serves.ALL)
    min_age = models.PositiveSmallIntegerField(default=0)
    max_age = models.PositiveSmallIntegerField(default=130)

    class Meta(Named.Meta):
        verbose_name_plural = "specialities"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_age__lte=models.F("max_age")),
                name="accounts_speciality_ages_in_order",
            )
        ]

    def suits(self, patient: Patient) -> bool:
        """Whether a patient of this age and sex can be right here: no man at gynaecology."""
        return (
            self.serves in (Serves.ALL, patient.sex) and self.min_age <= patient.age <= self.max_age
        )


class Doctor(models.Model):
    """One registered medical practitioner; goes on duty only once the registration is verified.

    Name, qualification, registration number and council are shown to the patient and printed on
    every prescription (Telemedicine Practice Guidelines 2020, 3.2 and 3.7.4).
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="doctor"
    )
    speciality = models.ForeignKey(Speciality, on_delete=models.PROTECT)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, null=True, blank=True)
    qualification = models.CharField(max_length=120)
    registration_number = models.CharField(max_length=40)
    council = models.CharField("medical council", max_length=120)
    contact = models.CharField(
        max_length=120, help_text="Phone or e-mail printed on the prescription."
    )
    hpr_id = models.CharField(
        "HPR id",
        max_length=60,
        blank=True,
        validators=[check_hpr_id],
        help_text="Healthcare Professionals Registry: 14 digits, or name@hpr.abdm.",
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        permissions = [("verify_doctor", "Can verify a doctor's registration")]
        constraints = [
            models.UniqueConstraint(
                fields=["council", "registration_number"], name="accounts_doctor_registered_once"
            ),
            models.CheckConstraint(
                condition=Q(verified_at=None, verified_by=None)
                | Q(verified_at__isnull=False, verified_by__isnull=False),
                name="accounts_doctor_verified_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        return self.user.name

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None and self.user.is_active
