from django.conf import settings
from django.db import models
from django.utils import timezone

from consult.models.consultations import Consultation


class CallEvent(models.Model):
    """One thing that happened in the call of one consultation: who came, went, or chose what.

    Of what is signalled nothing else is kept, and of what is said and seen nothing at all.
    """

    class What(models.TextChoices):
        JOINED = "joined", "Came in"
        BACK = "back", "Is back after the connection was lost"
        LOST = "lost", "Lost the connection"
        LEFT = "left", "Left"
        TEXT = "text", "The doctor chose to go on in text"
        PHONE = "phone", "The doctor was shown the number"
        PUT_BACK = "put_back", "The doctor put the patient back, first in line"
        REPORTED = "reported", "Ended and reported"

    COMING = (What.JOINED, What.BACK)

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="call_events"
    )
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=13)
    page = models.CharField("page, as it named itself", max_length=24, blank=True)
    what = models.CharField(max_length=8, choices=What.choices)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["consultation", "page"], name="consult_callevent_of_page"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.get_what_display()}"


class CallLeg(models.Model):
    """What one page of a call received from one other participant: seconds of video and of sound.

    A page reports totals, again and again; they only grow, and never beyond the time it was there.
    """

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="call_legs"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField("received by", max_length=13)
    page = models.CharField("page, as it named itself", max_length=24)
    other = models.CharField("from", max_length=13)
    video_seconds = models.PositiveIntegerField(default=0)
    sound_seconds = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "role", "page", "other"], name="consult_callleg_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(role=models.F("other")), name="consult_callleg_from_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} from {self.other}: {self.video_seconds} s, {self.sound_seconds} s"


class AbuseReport(models.Model):
    """One call that somebody ended because of how the other side behaved."""

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="abuse_reports"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField("reported by", max_length=13)
    words = models.TextField("what happened", max_length=1000, blank=True)
    reported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.role}, {self.reported_at:%d.%m.%Y}"
