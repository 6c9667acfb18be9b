from django.conf import settings
from django.db import models
from django.utils import timezone


class AuditEvent(models.Model):
    """One read or write of patient data, or one refused try; never changed, never deleted."""

    at = models.DateTimeField(default=timezone.now)
    # The indexes below begin with both; the table grows fastest of all.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=80, blank=True)
    patient = models.ForeignKey(
        "accounts.Patient",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )
    address = models.GenericIPAddressField(null=True)
    refused = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-at"], name="accounts_audit_of_patient"),
            models.Index(fields=["by", "-at"], name="accounts_audit_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
