from django.db import models
from django.db.models import OuterRef, Q
from django.utils import timezone

from accounts.models import Doctor, Patient


class KeptApart(models.Model):
    """One doctor and one patient who are never matched again, because one of them reported abuse."""

    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="kept_apart")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="kept_apart")
    since_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "kept apart"
        constraints = [
            models.UniqueConstraint(fields=["doctor", "patient"], name="queue_keptapart_once")
        ]

    def __str__(self) -> str:
        return f"{self.doctor_id} and {self.patient_id}"

    @classmethod
    def are(cls, doctor: Doctor, patient: Patient) -> bool:
        """Whether these two, or the doctor and another patient of that account, are kept apart."""
        return cls.of_patient(patient).filter(doctor=doctor).exists()

    @classmethod
    def of_patient(cls, patient: Patient) -> "models.QuerySet[KeptApart]":
        """Those of the patient, and of another patient of the same account."""
        return cls.objects.filter(Q(patient=patient) | Q(patient__account=patient.account_id))

    @classmethod
    def of_token(cls, doctor: Doctor) -> "models.QuerySet[KeptApart]":
        """For a subquery over tokens or consultations: the patient, or another patient of the same account.

        The person who was abusive holds the account; who is named as the patient costs them nothing.
        """
        same = Q(patient=OuterRef("patient")) | Q(patient__account=OuterRef("patient__account"))
        return cls.objects.filter(same, doctor=doctor)
