from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor, Facility, Speciality
from accounts.models.base import Public
from consult.models.consultations import Consultation


class Referral(Public):
    """One letter that sends a patient to be seen in person. What it says is frozen in `document`."""

    class Urgency(models.TextChoices):
        EMERGENCY = "emergency", _("Now: emergency")
        URGENT = "urgent", _("Within a day")
        ROUTINE = "routine", _("Within weeks")

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="referrals"
    )
    facility = models.ForeignKey(
        Facility, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    place = models.CharField(_("or another place"), max_length=120, blank=True)
    speciality = models.ForeignKey(
        Speciality, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    urgency = models.CharField(_("How soon?"), max_length=10, choices=Urgency.choices)
    reason = models.TextField(_("Why, and what to look for"), max_length=1000)
    number = models.CharField(max_length=24, unique=True)
    document = models.JSONField()
    issued_at = models.DateTimeField(default=timezone.now)
    issued_by = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="referrals")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(facility__isnull=False) | ~Q(place=""),
                name="consult_referral_says_where",
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def where(self) -> str:
        return self.facility.local_name if self.facility else self.place
