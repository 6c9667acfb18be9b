"""What passes between this service and the national gateway (ABDM). Empty where it is not in use."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Patient
from accounts.models.base import Public
from consult.models.consultations import Consultation


class CareContext(models.Model):
    """One completed consultation, linked to the patient's ABHA: what can be discovered and asked for."""

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="care_context"
    )
    linked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.consultation_id}"


class AbdmConsent(Public):
    """One consent of one patient to one transfer of records: out of here (HIP) or to here (HIU)."""

    class Role(models.TextChoices):
        HIP = "hip", "We hold the records"
        HIU = "hiu", "We ask for records"

    class State(models.TextChoices):
        REQUESTED = "requested", _("Asked for")
        GRANTED = "granted", _("Granted")
        DENIED = "denied", _("Denied")
        REVOKED = "revoked", _("Withdrawn")
        EXPIRED = "expired", _("Run out")

    role = models.CharField(max_length=3, choices=Role.choices)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="abdm_consents")
    request_id = models.CharField("id of the request at the gateway", max_length=64, blank=True)
    artefact_id = models.CharField("id of the artefact", max_length=64, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.REQUESTED)
    requester = models.CharField("who asks", max_length=160, blank=True)
    purpose = models.CharField(max_length=120, blank=True)
    hi_types = models.JSONField("kinds of records", default=list)
    care_contexts = models.JSONField("consultations it is about", default=list)
    from_at = models.DateTimeField("records from")
    to_at = models.DateTimeField("records until")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = "ABDM consent"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "artefact_id"],
                condition=~Q(artefact_id=""),
                name="consult_abdmconsent_artefact_once",
            )
        ]

    def __str__(self) -> str:
        return self.get_state_display()

    @property
    def is_in_force(self) -> bool:
        return self.state == self.State.GRANTED and self.expires_at > timezone.now()


class AbdmMessage(models.Model):
    """One message to or from the gateway. Its id makes a second delivery harmless."""

    class Direction(models.TextChoices):
        OUT = "out", "To the gateway"
        IN = "in", "From the gateway"

    MAX_TRIES = 8

    direction = models.CharField(max_length=3, choices=Direction.choices)
    request_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    body = models.JSONField(default=dict)
    consent = models.ForeignKey(
        AbdmConsent, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "ABDM message"
        constraints = [
            models.UniqueConstraint(
                fields=["direction", "request_id"], name="consult_abdmmessage_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(done_at=None), name="consult_abdmmessage_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.request_id[:8]}"


class AbdmRecord(Public):
    """One document that came from elsewhere under a consent; shown while that is in force."""

    consent = models.ForeignKey(AbdmConsent, on_delete=models.PROTECT, related_name="records")
    care_context = models.CharField(max_length=128)
    bundle = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consent", "care_context"], name="consult_abdmrecord_once"
            )
        ]

    def __str__(self) -> str:
        return self.care_context
