from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Facility, Patient
from accounts.models.base import Public
from consult.models.consultations import Consultation


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def of_centre(self, facility: Facility) -> "FollowUpQuerySet":
        return self.filter(facility=facility)

    def open(self) -> "FollowUpQuerySet":
        return self.filter(closed_at=None)


class FollowUp(Public):
    """One task at the health centre: to see a patient again, until it is closed with an outcome."""

    class Outcome(models.TextChoices):
        WELL = "well", _("Well again")
        BETTER = "better", _("Better")
        SAME = "same", _("No change")
        WORSE = "worse", _("Worse")
        REFERRED = "referred", _("Went to a hospital")
        NOT_FOUND = "not_found", _("Not reached")
        DIED = "died", _("Died")

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="follow_up"
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="follow_ups")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="follow_ups")
    due_on = models.DateField()
    created_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(_("How is the patient?"), max_length=10, choices=Outcome.choices)
    outcome_words = models.CharField(_("What you saw and did"), max_length=500, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = "follow-up"
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, outcome="")
                | Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(outcome=""),
                name="consult_followup_closed_with_outcome",
            )
        ]
        indexes = [
            models.Index(
                fields=["facility", "due_on"],
                condition=Q(closed_at=None),
                name="consult_followup_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.due_on:%d.%m.%Y}"

    @property
    def is_overdue(self) -> bool:
        return self.closed_at is None and self.due_on < timezone.localdate()
