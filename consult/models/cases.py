from django.db import models
from django.utils.translation import gettext_lazy as _


class Case(models.Model):
    """What a doctor is told of a patient before and during the talk: mixed into the consultation."""

    class Since(models.TextChoices):
        TODAY = "today", _("Today")
        DAYS = "days", _("A few days")
        WEEK = "week", _("About a week")
        WEEKS = "weeks", _("Several weeks")
        MONTHS = "months", _("Months or longer")

    WORDS = [
        "complaint", "since", "history", "family_history", "allergies", "medicines",
        "is_pregnant", "lmp", "is_disabled", "examination", "impression", "is_emergency",
    ]  # fmt: skip

    complaint = models.TextField(_("What is wrong?"), max_length=2000)
    since = models.CharField(_("Since when?"), max_length=8, choices=Since.choices)
    history = models.TextField(_("Past illnesses and operations"), max_length=2000, blank=True)
    family_history = models.CharField(_("Illnesses in the family"), max_length=500, blank=True)
    allergies = models.CharField(_("Allergies"), max_length=500, blank=True)
    medicines = models.CharField(_("Medicines taken now"), max_length=500, blank=True)
    is_pregnant = models.BooleanField(_("The patient is pregnant"), default=False)
    lmp = models.DateField(_("First day of the last period"), null=True, blank=True)
    is_disabled = models.BooleanField(_("The patient lives with a disability"), default=False)
    examination = models.TextField(_("What you see and feel"), max_length=2000, blank=True)
    impression = models.CharField(_("What you think it is"), max_length=300, blank=True)
    is_emergency = models.BooleanField(_("Emergency"), default=False)

    class Meta:
        abstract = True

    def words(self) -> dict[str, object]:
        """The case as plain values, to show it, to compare it, and to send it once more."""
        return {name: getattr(self, name) for name in self.WORDS}
