"""What makes writing prescriptions fast and safe: sets, reasons against warnings, refills."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor
from accounts.models.base import Public
from consult.models.consultations import Consultation
from consult.models.prescriptions import Prescription


class MedicineSet(Public):
    """Medicines that one doctor often writes together, or a single favourite: "fever adult"."""

    MOST = 60

    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="medicine_sets")
    name = models.CharField(_("Name of the set"), max_length=60)
    lines = models.JSONField(default=list)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["doctor", "name"], name="consult_medicineset_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class WarningReason(models.Model):
    """Why the doctor prescribes in spite of one warning."""

    prescription = models.ForeignKey(
        Prescription, on_delete=models.CASCADE, related_name="warning_reasons"
    )
    key = models.CharField(max_length=80)
    reason = models.CharField(_("Reason"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prescription", "key"], name="consult_warningreason_once"
            )
        ]

    def __str__(self) -> str:
        return self.reason


class RefillRequestQuerySet(models.QuerySet["RefillRequest"]):
    def waiting(self) -> "RefillRequestQuerySet":
        return self.filter(state=RefillRequest.State.WAITING).order_by("pk")

    def on_the_desk(self) -> "RefillRequestQuerySet":
        """Those that wait for the doctor, and those whose consultation is not finished."""
        unfinished = Q(consultation__state=Consultation.State.IN_PROGRESS)
        rows = self.filter(Q(state=RefillRequest.State.WAITING) | unfinished)
        return rows.with_people().order_by("pk")

    def with_people(self) -> "RefillRequestQuerySet":
        return self.select_related("prescription__consultation__patient__account", "consultation")


class RefillRequest(Public):
    """A patient's wish to go on with the medicines of one prescription; the same doctor answers."""

    class State(models.TextChoices):
        WAITING = "waiting", _("The doctor has not looked at it yet")
        TAKEN = "taken", _("The doctor is looking at it")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    prescription = models.ForeignKey(
        Prescription, on_delete=models.PROTECT, related_name="refill_requests"
    )
    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="refill_requests")
    words = models.CharField(_("How are you now?"), max_length=500)
    language = models.CharField(max_length=8)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, null=True, blank=True, related_name="refill_request"
    )

    objects = RefillRequestQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["prescription"],
                condition=Q(state="waiting"),
                name="consult_refillrequest_one_waiting",
            ),
            models.CheckConstraint(
                condition=Q(state="taken", consultation__isnull=False)
                | ~Q(state="taken") & Q(consultation=None),
                name="consult_refillrequest_taken_has_consultation",
            ),
        ]
        indexes = [
            models.Index(
                fields=["doctor"], condition=Q(state="waiting"), name="consult_refills_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.prescription}"


class SigningKey(models.Model):
    """The public half of one key that signs prescriptions. The private half is never in the database."""

    key_id = models.SlugField(max_length=40, primary_key=True)
    public_key = models.CharField("Ed25519 public key, base64", max_length=44)
    first_used_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the private half became known to others: later signatures do not count.",
    )

    class Meta:
        ordering = ["first_used_at"]

    def __str__(self) -> str:
        return self.key_id
