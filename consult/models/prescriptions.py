import secrets
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor
from accounts.models.base import Labelled, Public
from consult.models.consultations import Consultation
from esanjeevani.sql.changes import Change
from queues.models import Moving

# Without letters and digits that look alike on paper: 12 of 30 are 58 bits.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_check_code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _index in range(12))


def new_check_id() -> str:
    """What the square code holds: 128 random bits in 22 letters."""
    return secrets.token_urlsafe(16)


class Prescription(Public, Moving):
    """One version of a consultation's prescription: a draft, then issued and never changed again.

    `document` is everything that is printed, frozen at issue; the PDF is a pure function of it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ISSUED = "issued", _("Issued")
        SUPERSEDED = "superseded", _("Replaced by a newer one")

    NEXT: ClassVar[dict[str, set[str]]] = {
        State.DRAFT: {State.ISSUED},
        State.ISSUED: {State.SUPERSEDED},
        State.SUPERSEDED: set(),
    }
    MAX_LINES = 40

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="prescriptions"
    )
    version = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    number = models.CharField(max_length=24, blank=True)
    check_code = models.CharField(max_length=12, unique=True, default=new_check_code)
    check_id = models.CharField(max_length=22, unique=True, default=new_check_id)
    document = models.JSONField(null=True, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_by = models.ForeignKey(
        Doctor, on_delete=models.PROTECT, null=True, blank=True, related_name="prescriptions"
    )
    digest = models.CharField("SHA-256 of the canonical form", max_length=64, blank=True)
    signature = models.CharField("Ed25519, base64", max_length=88, blank=True)
    key_id = models.SlugField(max_length=40, blank=True)
    pdf = models.FileField("PDF, A4", upload_to="prescriptions/", blank=True)
    pdf_a5 = models.FileField("PDF, A5", upload_to="prescriptions/", blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "version"], name="consult_prescription_version_once"
            ),
            models.UniqueConstraint(
                fields=["consultation"],
                condition=Q(state="issued"),
                name="consult_prescription_one_current",
            ),
            models.UniqueConstraint(
                fields=["consultation"],
                condition=Q(state="draft"),
                name="consult_prescription_one_draft",
            ),
            models.UniqueConstraint(
                fields=["number"],
                condition=~Q(number=""),
                name="consult_prescription_number_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="draft", issued_at=None, issued_by=None, number="", document__isnull=True
                )
                | Q(
                    state__in=["issued", "superseded"],
                    issued_at__isnull=False,
                    issued_by__isnull=False,
                    document__isnull=False,
                )
                & ~Q(number=""),
                name="consult_prescription_issued_is_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["issued_at"],
                condition=Q(pdf="", issued_at__isnull=False),
                name="consult_prescription_no_pdf",
            )
        ]

    def __str__(self) -> str:
        return self.number or "draft"

    @property
    def spaced_code(self) -> str:
        return "-".join((self.check_code[:4], self.check_code[4:8], self.check_code[8:]))

    def issuing(
        self,
        *,
        doctor: Doctor,
        number: str,
        document: dict[str, object],
        at: datetime | None = None,
        **signed: Any,
    ) -> Change:
        """`signed` holds digest, signature and key_id (consult/signing), made over the time `at`."""
        return self._moving(
            self.State.ISSUED,
            issued_at=at or timezone.now(),
            issued_by=doctor,
            number=number,
            document=document,
            **signed,
        )

    def supersede(self) -> None:
        self._move(self.State.SUPERSEDED)


class PrescriptionLine(Labelled):
    """One medicine of a prescription, by generic name."""

    class Form(models.TextChoices):
        TABLET = "tablet", _("Tablet")
        CAPSULE = "capsule", _("Capsule")
        SYRUP = "syrup", _("Syrup")
        DROPS = "drops", _("Drops")
        CREAM = "cream", _("Cream or ointment")
        LOTION = "lotion", _("Lotion or shampoo")
        EYE = "eye", _("Eye drops or ointment")
        EAR = "ear", _("Ear drops")
        NOSE = "nose", _("Nose drops or spray")
        INHALER = "inhaler", _("Inhaler")
        SACHET = "sachet", _("Sachet")
        LOZENGE = "lozenge", _("Lozenge")
        PESSARY = "pessary", _("Pessary or suppository")
        INJECTION = "injection", _("Injection")
        OTHER = "other", _("Other")

    class Frequency(models.TextChoices):
        ONCE = "od", _("Once a day")
        TWICE = "bd", _("Twice a day")
        THRICE = "tds", _("Three times a day")
        FOUR = "qid", _("Four times a day")
        NIGHT = "hs", _("At bedtime")
        NEEDED = "sos", _("When needed")
        WEEKLY = "weekly", _("Once a week")
        STAT = "stat", _("Once, now")

    prescription = models.ForeignKey(Prescription, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    generic = models.CharField(_("Generic name"), max_length=120)
    form = models.CharField(_("Form"), max_length=10, choices=Form.choices)
    strength = models.CharField(_("Strength"), max_length=40)
    dose = models.CharField(_("Dose"), max_length=40, help_text=_("1-0-1 or in words"))
    frequency = models.CharField(_("How often"), max_length=8, choices=Frequency.choices)
    days = models.PositiveSmallIntegerField(_("Days"))
    quantity = models.PositiveSmallIntegerField(_("Quantity"), null=True, blank=True)
    instructions = models.CharField(_("Instructions"), max_length=160, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["prescription", "position"], name="consult_prescriptionline_position_once"
            ),
            models.CheckConstraint(
                condition=Q(days__gte=1, days__lte=180), name="consult_prescriptionline_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.generic} {self.strength}"
