from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Facility
from consult.models.prescriptions import PrescriptionLine


class Dispensing(models.Model):
    """What one health centre gave out of one line of a prescription."""

    class Given(models.TextChoices):
        GIVEN = "given", _("Given")
        PARTLY = "partly", _("Partly given")
        NOT_IN_STOCK = "not_in_stock", _("Not in stock")

    line = models.OneToOneField(
        PrescriptionLine, on_delete=models.PROTECT, related_name="dispensing"
    )
    given = models.CharField(max_length=12, choices=Given.choices)
    words = models.CharField(_("How much, or why not"), max_length=120, blank=True)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    dispensed_at = models.DateTimeField(default=timezone.now)
    dispensed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.get_given_display()
