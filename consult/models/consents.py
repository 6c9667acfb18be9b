from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consult.models.consultations import Consultation


class Consent(models.Model):
    """One recorded consent to a teleconsultation: which words, in which language, when, how, by whom."""

    class How(models.TextChoices):
        TICKED = "ticked", _("Ticked on the page")
        SPOKEN = "spoken", _("Spoken, noted by the health worker")
        SIGNED = "signed", _("Signed or thumb-printed on paper, kept at the health centre")
        CARER = "carer", _("Given by the adult who came along")

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="consent"
    )
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=8)
    how = models.CharField(max_length=8, choices=How.choices, default=How.TICKED)
    given_at = models.DateTimeField(default=timezone.now)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.version} ({self.language}), {self.get_how_display()}"
