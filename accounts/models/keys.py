"""Keys of programs: a person's phone app, and a facility's own machine. Only hashes are kept."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.base import Public
from accounts.models.places import Facility


class TokenQuerySet(models.QuerySet["ApiToken"]):
    def in_force(self) -> "TokenQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)


class ApiToken(Public):
    """One program that acts for one person until it is signed out: "Asha's phone"."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    device = models.CharField("name of the device", max_length=80)
    key_hash = models.CharField(max_length=64, unique=True)
    has_second_factor = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.device


class MachineClient(Public):
    """One system of a facility (laboratory, device kiosk, hospital software) with a key of its own.

    It does what its rights say and for its facility alone; one person answers for what it does and
    stands in the audit as the one who did it.
    """

    name = models.CharField(max_length=80)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="machine_clients")
    answers_for = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="who answers for it",
    )
    may_read_records = models.BooleanField(default=False)
    may_send_vitals = models.BooleanField(default=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(may_read_records=True) | Q(may_send_vitals=True),
                name="accounts_machineclient_may_something",
            )
        ]

    def __str__(self) -> str:
        return self.name


class KeptAnswer(models.Model):
    """The first answer to one request with an Idempotency-Key: asking again gets it again.

    It may hold a token or a patient's words, so it is encrypted with the key that only the client
    has. Without `status` the first request is still at work.
    """

    key_hash = models.CharField(max_length=64, unique=True)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    sealed = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="accounts_keptanswer_old")]

    def __str__(self) -> str:
        return self.key_hash[:12]
