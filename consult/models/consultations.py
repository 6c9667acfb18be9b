from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor, Patient, User
from accounts.models.base import Public
from queues.models import Clinic, Moving, Token


class ConsultationQuerySet(models.QuerySet["Consultation"]):
    def of_patient_account(self, user: User) -> "ConsultationQuerySet":
        return self.filter(patient__account=user)

    def of_doctor(self, doctor: Doctor) -> "ConsultationQuerySet":
        """What this doctor called, sees or saw."""
        return self.filter(doctor=doctor)

    def visible_to(self, user: User) -> "ConsultationQuerySet":
        """The patient's account and the doctor of the consultation; nobody else."""
        return self.filter(
            Q(patient__account=user) | Q(doctor__user=user) & ~Q(state=Consultation.State.DRAFT)
        )

    def open(self) -> "ConsultationQuerySet":
        return self.filter(state__in=Consultation.OPEN)

    def with_people(self) -> "ConsultationQuerySet":
        """With whom each page shows. More tables would cost more to join than to ask for when needed."""
        return self.select_related("patient", "clinic", "token", "doctor__user")


class Consultation(Public, Moving):
    """One question of one patient to a doctor, from the first word typed to its end."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Not sent yet")
        REQUESTED = "requested", _("Waiting for the doctor")
        IN_PROGRESS = "in_progress", _("With the doctor")
        COMPLETED = "completed", _("Completed")
        RETURNED = "returned", _("Returned by the doctor")
        CANCELLED = "cancelled", _("Cancelled")

    class EndReason(models.TextChoices):
        DISCARDED = "discarded", _("Thrown away before it was sent")
        LEFT = "left", _("You left the line")
        NO_SHOW = "no_show", _("Two calls were not answered")
        DAY_OVER = "day_over", _("The clinic's day ended")
        WRONG_SPECIALITY = "wrong_speciality", _("Another clinic is right for this")
        NEEDS_IN_PERSON = "needs_in_person", _("A doctor must see you in person")
        NOT_ENOUGH = "not_enough", _("The doctor needs more information")
        EMERGENCY = "emergency", _("An emergency: go to a hospital now")
        OTHER = "other", _("Another reason")

    class Since(models.TextChoices):
        TODAY = "today", _("Today")
        DAYS = "days", _("A few days")
        WEEK = "week", _("About a week")
        WEEKS = "weeks", _("Several weeks")
        MONTHS = "months", _("Months or longer")

    NEXT: ClassVar[dict[str, set[str]]] = {
        State.DRAFT: {State.REQUESTED, State.CANCELLED},
        State.REQUESTED: {State.IN_PROGRESS, State.RETURNED, State.CANCELLED},
        State.IN_PROGRESS: {State.COMPLETED, State.RETURNED},
        State.COMPLETED: set(),
        State.RETURNED: set(),
        State.CANCELLED: set(),
    }
    OPEN: ClassVar[list[str]] = [State.REQUESTED, State.IN_PROGRESS]
    RETURN_REASONS: ClassVar[list["Consultation.EndReason"]] = [
        EndReason.WRONG_SPECIALITY,
        EndReason.NEEDS_IN_PERSON,
        EndReason.NOT_ENOUGH,
        EndReason.OTHER,
    ]

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consultations")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="consultations")
    token = models.OneToOneField(
        Token, on_delete=models.PROTECT, null=True, blank=True, related_name="consultation"
    )
    doctor = models.ForeignKey(
        Doctor, on_delete=models.PROTECT, null=True, blank=True, related_name="consultations"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The health worker, if one asked for the patient.",
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    end_reason = models.CharField(max_length=20, choices=EndReason.choices, blank=True)
    end_words = models.CharField(max_length=500, blank=True)
    complaint = models.TextField(_("What is wrong?"), max_length=2000)
    since = models.CharField(_("Since when?"), max_length=8, choices=Since.choices)
    allergies = models.CharField(_("Allergies"), max_length=500, blank=True)
    medicines = models.CharField(_("Medicines taken now"), max_length=500, blank=True)
    is_pregnant = models.BooleanField(_("The patient is pregnant"), default=False)
    is_disabled = models.BooleanField(_("The patient lives with a disability"), default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    requested_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(state="draft"),
                name="consult_consultation_one_draft_per_patient",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["completed", "returned", "cancelled"], ended_at__isnull=False
                )
                | Q(state__in=["draft", "requested", "in_progress"], ended_at=None),
                name="consult_consultation_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["in_progress", "completed"])
                | Q(doctor__isnull=False, started_at__isnull=False),
                name="consult_consultation_started_has_doctor_and_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="requested") | Q(requested_at__isnull=False),
                name="consult_consultation_requested_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["doctor", "-created_at"], name="consult_of_doctor"),
            models.Index(fields=["patient", "-created_at"], name="consult_of_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, {self.created_at:%d.%m.%Y}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_over(self) -> bool:
        return not self.NEXT[self.state]

    def request(self, token: Token) -> None:
        self._move(self.State.REQUESTED, token=token, requested_at=timezone.now())

    def begin(self, doctor: Doctor) -> None:
        self._move(self.State.IN_PROGRESS, doctor=doctor, started_at=timezone.now())

    def complete(self) -> None:
        self._move(self.State.COMPLETED, ended_at=timezone.now())

    def send_back(self, reason: str, words: str) -> None:
        self._move(self.State.RETURNED, ended_at=timezone.now(), end_reason=reason, end_words=words)

    def cancel(self, reason: str) -> None:
        self._move(self.State.CANCELLED, ended_at=timezone.now(), end_reason=reason)


class Consent(models.Model):
    """One recorded consent to a teleconsultation: which words, in which language, when, how, by whom."""

    class How(models.TextChoices):
        TICKED = "ticked", _("Ticked on the page")
        SPOKEN = "spoken", _("Spoken, noted by the health worker")

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="consent"
    )
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=8)
    how = models.CharField(max_length=8, choices=How.choices, default=How.TICKED)
    given_at = models.DateTimeField(default=timezone.now)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.version} ({self.language}), {self.get_how_display()}"
