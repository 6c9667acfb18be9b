from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.patients import Patient
from accounts.models.places import Facility


class Enrolment(models.Model):
    """One patient whom one facility has had before it: from then on its health workers see the case.

    Finding somebody opens nothing. A health worker says that the patient is here, under audit.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="enrolments")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="enrolments")
    enrolled_at = models.DateTimeField(default=timezone.now)
    enrolled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "facility"], name="accounts_enrolment_once_per_facility"
            )
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} at {self.facility_id}"
