from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consult.models.consultations import Consultation


class Note(models.Model):
    """What the doctor found and advised in one consultation; frozen once it has ended."""

    consultation = models.OneToOneField(Consultation, on_delete=models.PROTECT, related_name="note")
    findings = models.TextField(_("Findings"), max_length=4000, blank=True)
    diagnosis = models.CharField(_("Diagnosis"), max_length=300, blank=True)
    is_provisional = models.BooleanField(_("Provisional"), default=True)
    tests = models.TextField(_("Tests"), max_length=1000, blank=True)
    advice = models.TextField(_("Advice"), max_length=2000, blank=True)
    red_flags = models.TextField(_("Come back at once if"), max_length=1000, blank=True)
    follow_up_on = models.DateField(_("Follow-up on"), null=True, blank=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.diagnosis
