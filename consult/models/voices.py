from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from consult.models.consultations import Consultation


class Feedback(models.Model):
    """What the patient thought of one consultation: stars and words."""

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="feedback"
    )
    stars = models.PositiveSmallIntegerField(
        _("Stars"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    words = models.TextField(_("In your words"), max_length=1000, blank=True)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [
            models.CheckConstraint(
                condition=Q(stars__gte=1, stars__lte=5), name="consult_feedback_one_to_five_stars"
            )
        ]

    def __str__(self) -> str:
        return "★" * self.stars


def new_grievance_number() -> str:
    return "G" + get_random_string(8, "0123456789")


class Grievance(models.Model):
    """One complaint about the service, by anybody; a channel for them is mandatory (TPG 2020, 5)."""

    class About(models.TextChoices):
        DOCTOR = "doctor", _("A doctor or health worker")
        WAITING = "waiting", _("Waiting or the line")
        TECHNICAL = "technical", _("Something did not work")
        PRIVACY = "privacy", _("My data")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        NEW = "new", _("New")
        BEING_LOOKED_AT = "looking", _("Being looked at")
        ANSWERED = "answered", _("Answered")

    number = models.CharField(max_length=9, unique=True, default=new_grievance_number)
    about = models.CharField(_("What is it about?"), max_length=10, choices=About.choices)
    words = models.TextField(_("What happened?"), max_length=4000)
    phone = models.CharField(_("Your mobile number"), max_length=16, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    answer = models.TextField(max_length=4000, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.number
