from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Doctor, Facility, Patient, Post, User
from accounts.models.base import Public
from consult.models.cases import Case
from consult.models.course import Course
from consult.models.mode import Mode, mode_of
from consult.models.opinions import Opinion
from queues.models import Clinic, Token


class ConsultationQuerySet(models.QuerySet["Consultation"]):
    def of_patient_account(self, user: User) -> "ConsultationQuerySet":
        """Also what a health centre asked for them, but not what it is still writing."""
        at_centre = Q(state=Consultation.State.DRAFT, facility__isnull=False)
        return self.filter(~at_centre, patient__account=user)

    def of_centre(self, facility: Facility) -> "ConsultationQuerySet":
        return self.filter(facility=facility)

    def of_doctor(self, doctor: Doctor) -> "ConsultationQuerySet":
        """What this doctor called, sees or saw."""
        return self.filter(doctor=doctor)

    def visible_to(self, user: Any, now: Any = None) -> "ConsultationQuerySet":
        """The patient's account, the health centre, the doctor, a specialist who joined; nobody else.

        Each by a condition without a join, so that no row comes twice. `user` and `now` are slots
        where the query is composed once.
        """
        posts = Post.objects.at_centres(now).filter(user=user).values("facility")
        joined = Opinion.objects.filter(specialist__user=user).values("consultation")
        is_draft = Q(state=Consultation.State.DRAFT)
        return self.filter(
            Q(patient__account=user) & ~(is_draft & Q(facility__isnull=False))
            | Q(facility__in=posts)
            | (Q(doctor__user=user) | Q(pk__in=joined)) & ~is_draft
        )

    def came_back(self, facility: Facility) -> "ConsultationQuerySet":
        """To this health centre, not sent again and not settled: somebody there has to look at it."""
        back = self.of_centre(facility).filter(Consultation.CAME_BACK, settled_at=None)
        again = Consultation.objects.filter(continues=OuterRef("pk"))
        return back.exclude(Exists(again.exclude(end_reason=Consultation.EndReason.DISCARDED)))

    def sent(self) -> "ConsultationQuerySet":
        """Not still being written, and not thrown away before it was sent."""
        drafts = Q(state=Consultation.State.DRAFT)
        return self.exclude(drafts | Q(end_reason=Consultation.EndReason.DISCARDED))

    def to_answer_in_writing(self) -> "ConsultationQuerySet":
        """Store-and-forward cases that no doctor has taken."""
        return self.filter(state=Consultation.State.REQUESTED, is_written=True)

    def open(self) -> "ConsultationQuerySet":
        return self.filter(state__in=Consultation.OPEN)

    def with_people(self) -> "ConsultationQuerySet":
        """With whom each page shows. More tables would cost more to join than to ask for when needed."""
        return self.select_related("patient", "clinic", "token", "doctor__user")


class Consultation(Case, Public, Course):
    """One question of one patient to a doctor, from the first word typed to its end.

    Both doors are this row: the patient at home has no `facility`, a health worker has one. What is
    said of the patient is its Case; how it goes on, from state to state, its Course.
    """

    # Without an index of its own: those below begin with it, or nobody asks for it.
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="consultations", db_index=False
    )
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="consultations")
    token = models.OneToOneField(
        Token, on_delete=models.PROTECT, null=True, blank=True, related_name="consultation"
    )
    doctor = models.ForeignKey(
        Doctor,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="consultations",
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="The health worker, if one asked for the patient.",
    )
    facility = models.ForeignKey(
        Facility,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="consultations",
        help_text="The health centre where the patient sits; empty for a patient at home.",
    )
    is_written = models.BooleanField(
        "answered in writing", default=False, help_text="Store and forward: without a call."
    )
    continues = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="continued_by"
    )
    follow_up_of = models.ForeignKey(
        "consult.FollowUp",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="consultations",
    )
    revision = models.PositiveIntegerField(
        default=0, help_text="Counts the saves of the case, so that nobody overwrites unseen words."
    )
    attested_at = models.DateTimeField("patient seen to be present", null=True, blank=True)
    attested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    settled_at = models.DateTimeField("what came back is dealt with", null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    state = models.CharField(
        max_length=12, choices=Course.State.choices, default=Course.State.DRAFT
    )
    end_reason = models.CharField(max_length=20, choices=Course.EndReason.choices, blank=True)
    end_words = models.CharField(max_length=500, blank=True)
    suggested_clinic = models.ForeignKey(
        Clinic,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="Where the doctor who returned it would send it.",
    )
    chosen_because = models.CharField(
        max_length=300, blank=True, help_text="Why another clinic than the one proposed."
    )
    completeness = models.PositiveSmallIntegerField(
        "percent filled when sent", null=True, blank=True
    )
    may_phone = models.BooleanField(
        "the doctor may phone the patient if the call breaks off", default=False
    )
    phone_centre = models.BooleanField(
        "the health centre's number, not the patient's own", default=False
    )
    let_in_at = models.DateTimeField(
        "the patient's phone was let into the call of the health centre", null=True, blank=True
    )
    let_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="The health worker to whom the patient said so.",
    )
    video_seconds = models.PositiveIntegerField("seconds of video both ways", default=0)
    sound_seconds = models.PositiveIntegerField("seconds of sound both ways", default=0)
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
                condition=Q(state="draft", facility=None),
                name="consult_consultation_one_draft_per_patient",
            ),
            # The centre first: by these two its desk finds what is being written, and what is open.
            models.UniqueConstraint(
                fields=["facility", "patient"],
                condition=Q(state="draft"),
                name="consult_consultation_one_draft_per_centre",
            ),
            models.UniqueConstraint(
                fields=["facility", "patient"],
                condition=Q(state__in=["requested", "in_progress"]),
                name="consult_consultation_one_open_per_centre",
            ),
            models.CheckConstraint(
                condition=Q(facility=None) | Q(requested_by__isnull=False),
                name="consult_consultation_centre_has_worker",
            ),
            models.CheckConstraint(
                condition=Q(attested_at=None, attested_by=None)
                | Q(attested_at__isnull=False, attested_by__isnull=False),
                name="consult_consultation_attested_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None)
                | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="consult_consultation_settled_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(let_in_at=None, let_in_by=None)
                | Q(let_in_at__isnull=False, let_in_by__isnull=False, facility__isnull=False),
                name="consult_consultation_let_in_at_and_by_at_centre",
            ),
            models.CheckConstraint(
                condition=Q(facility=None)
                | Q(attested_at__isnull=False)
                | Q(state__in=["draft", "cancelled"]),
                name="consult_consultation_sent_by_centre_is_attested",
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
            models.Index(fields=["facility", "-created_at"], name="consult_of_centre"),
            models.Index(
                fields=["facility", "settled_at"],
                condition=Q(settled_at__isnull=False),
                name="consult_settled",
            ),
            models.Index(
                fields=["clinic", "requested_at"],
                condition=Q(state="requested", is_written=True),
                name="consult_to_answer_in_writing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, {self.created_at:%d.%m.%Y}"

    @property
    def mode(self) -> Mode:
        """Text, audio or video: what flowed between patient and doctor so far (mode.py).

        Counted are the seconds that both sides received; a picture that only one side saw is none.
        A phone call outside this service counts as nothing.
        """
        return mode_of(video_seconds=self.video_seconds, sound_seconds=self.sound_seconds)

    @property
    def number_to_phone(self) -> str:
        """The one that the patient agreed to be phoned at if the call breaks off; empty for none."""
        if not self.may_phone:
            return ""
        if self.phone_centre:
            return self.facility.phone if self.facility else ""
        return self.patient.account.phone

    @property
    def is_in_call(self) -> bool:
        """With the doctor now, and not answered in writing."""
        return self.state == self.State.IN_PROGRESS and not self.is_written

    @property
    def lets_phone_in(self) -> bool:
        """The patient at a health centre said that the phone of the account may join the call."""
        return self.let_in_at is not None
