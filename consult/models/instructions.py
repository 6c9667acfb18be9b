from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consult.models.consultations import Consultation


class Instruction(models.Model):
    """One thing the doctor asks the health worker to do: "measure the blood pressure again"."""

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="instructions"
    )
    words = models.CharField(_("Please"), max_length=300)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.CharField(_("What you found"), max_length=300, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="consult_instruction_done_at_and_by",
            )
        ]

    def __str__(self) -> str:
        return self.words
