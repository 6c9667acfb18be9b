from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Patient
from consult.models.consultations import Consultation
from consult.vitals import VITALS, Vital, plain


class ObservationQuerySet(models.QuerySet["Observation"]):
    def of_patient(self, patient: Any) -> "ObservationQuerySet":
        """Each measurement once, however often its case was sent. `patient` may be a reference."""
        return self.filter(patient=patient, copy_of=None)


class Observation(models.Model):
    """One measured vital sign, with its LOINC code and UCUM unit as they were on that day."""

    KIND_CHOICES = [(vital.kind, vital.label) for vital in VITALS]

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="observations"
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="observations")
    kind = models.CharField(max_length=12, choices=KIND_CHOICES)
    value = models.DecimalField(max_digits=6, decimal_places=1)
    loinc = models.CharField("LOINC code", max_length=10)
    unit = models.CharField("UCUM unit", max_length=10)
    taken_at = models.DateTimeField(default=timezone.now)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    copy_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Of a case that was sent again: the measurement it stands for.",
    )

    objects = ObservationQuerySet.as_manager()

    class Meta:
        ordering = ["taken_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(value__gte=0), name="consult_observation_positive")
        ]
        indexes = [
            models.Index(fields=["patient", "kind", "taken_at"], name="consult_vitals_of_patient")
        ]

    def __str__(self) -> str:
        return f"{self.vital.label}: {self.shown} {self.vital.shown_unit}"

    @property
    def vital(self) -> Vital:
        return Vital.of(self.kind)

    @property
    def shown(self) -> str:
        return plain(self.value)

    @property
    def is_unusual(self) -> bool:
        return not self.vital.is_usual(self.value, self.patient.age)
