"""What a doctor writes down of care before this consultation: it decides what the rules allow."""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor, Patient
from consult.models.consultations import Consultation

# Follow-up: the same doctor, in person, the same condition, within six months (TPG 2020, 3.4).
MONTHS = 6


def six_months_before(day: date) -> date:
    """The same day of the month six months earlier; the month's last where it has no such day."""
    month = day.month - MONTHS
    year = day.year if month > 0 else day.year - 1
    first = date(year, month if month > 0 else month + 12, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


class InPersonVisit(models.Model):
    """One time that a doctor saw a patient in person, for one condition."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="in_person_visits")
    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="in_person_visits")
    condition = models.CharField(_("Condition"), max_length=120)
    seen_on = models.DateField(_("Seen on"))
    place = models.CharField(_("Where"), max_length=120)
    medicines = models.CharField(
        _("Medicines given then"),
        max_length=500,
        blank=True,
        help_text=_("Generic names, with commas between."),
    )
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "in-person visit"
        ordering = ["-seen_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.condition}, {self.seen_on:%d.%m.%Y}"

    @property
    def generics(self) -> list[str]:
        return [name.strip() for name in self.medicines.split(",") if name.strip()]

    def is_recent(self, day: date) -> bool:
        return six_months_before(day) <= self.seen_on <= day


class FollowUpLink(models.Model):
    """That one consultation follows up one visit in person. Without it a consultation is a first one."""

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="follow_up_link"
    )
    visit = models.ForeignKey(InPersonVisit, on_delete=models.PROTECT, related_name="follow_ups")
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    linked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "follow-up link"

    def __str__(self) -> str:
        return f"{self.visit}"


class PaperPrescription(models.Model):
    """One medicine on an earlier prescription that the doctor of a consultation has seen."""

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="paper_prescriptions"
    )
    generic = models.CharField(_("Generic name"), max_length=120)
    written_on = models.DateField(_("Date on it"))
    written_by = models.CharField(_("Doctor on it"), max_length=120)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.generic}, {self.written_by}"

    def is_recent(self, day: date) -> bool:
        return six_months_before(day) <= self.written_on <= day


class EmergencyReferral(models.Model):
    """That the doctor called this an emergency; then first aid and the way to a hospital, nothing else.

    Telemedicine Practice Guidelines 2020, 3.6: the patient is always told to go in person.
    """

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="emergency"
    )
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    declared_at = models.DateTimeField(default=timezone.now)
    first_aid = models.TextField(_("First aid and life-saving advice"), max_length=1000, blank=True)
    refer_to = models.CharField(_("Where to go"), max_length=200, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.refer_to or f"{self.declared_at:%d.%m.%Y}"
