from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Doctor
from queues.models.clinics import Clinic


class DutyQuerySet(models.QuerySet["Duty"]):
    def on(self) -> "DutyQuerySet":
        """Begun and not ended, paused ones too."""
        return self.filter(ended_at=None)

    def working(self) -> "DutyQuerySet":
        """On duty and not paused."""
        return self.on().filter(paused_at=None)


class Duty(models.Model):
    """One doctor on duty in one clinic, from going on duty until ending it."""

    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="duties")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="duties")
    started_at = models.DateTimeField(default=timezone.now)
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DutyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "duties"
        constraints = [
            models.UniqueConstraint(
                fields=["doctor", "clinic"],
                condition=Q(ended_at=None),
                name="queue_duty_one_open_per_doctor_and_clinic",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="queue_duty_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic"], condition=Q(ended_at=None), name="queue_duty_open_of_clinic"
            )
        ]

    def __str__(self) -> str:
        return f"{self.doctor_id} in {self.clinic_id}"

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None
