from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor
from esanjeevani.sql.changes import Change
from queues.models import Clinic, Moving, Token
from queues.models.moves import moved


class Course(Moving):
    """How a consultation goes on, from the draft to its end: mixed into the consultation.

    A verb that ends in -ing gives the move, to be made together with others in one statement.
    """

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
        PATIENT_ABSENT = "patient_absent", _("The patient was not there")
        TRANSFERRED = "transferred", _("Another doctor has taken over the care")
        OTHER = "other", _("Another reason")
        REPORTED = "reported", _("The talk was ended and reported")

    NEXT: ClassVar[dict[str, set[str]]] = {
        State.DRAFT: {State.REQUESTED, State.CANCELLED},
        State.REQUESTED: {State.IN_PROGRESS, State.RETURNED, State.CANCELLED},
        State.IN_PROGRESS: {State.COMPLETED, State.RETURNED, State.REQUESTED},
        State.COMPLETED: set(),
        State.RETURNED: set(),
        State.CANCELLED: set(),
    }
    OPEN: ClassVar[list[str]] = [State.REQUESTED, State.IN_PROGRESS]
    RETURN_REASONS: ClassVar[list["Course.EndReason"]] = [
        EndReason.WRONG_SPECIALITY,
        EndReason.NEEDS_IN_PERSON,
        EndReason.NOT_ENOUGH,
        EndReason.PATIENT_ABSENT,
        EndReason.OTHER,
    ]
    # Ended without a doctor's answer, through no wish of the health centre: it looks at these first.
    CAME_BACK: ClassVar[Q] = Q(state=State.RETURNED) | Q(
        state=State.CANCELLED, end_reason__in=[EndReason.NO_SHOW, EndReason.DAY_OVER]
    )

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_over(self) -> bool:
        return not self.NEXT[self.state]

    def requesting(self, token: Token | None, **fields: Any) -> Change:
        """Sent: with its place in a line, or without one to be answered in writing."""
        return self._moving(
            self.State.REQUESTED, token=token, requested_at=timezone.now(), **fields
        )

    def begin(self, doctor: Doctor) -> None:
        moved(self.beginning(doctor)).ask()

    def beginning(self, doctor: Doctor) -> Change:
        """begin(), to be made together with the answer to the call."""
        return self._moving(self.State.IN_PROGRESS, doctor=doctor, started_at=timezone.now())

    def completing(self) -> Change:
        return self._moving(self.State.COMPLETED, ended_at=timezone.now())

    def hand_over(self) -> None:
        """Another doctor takes over the care; this part of it is complete."""
        self._move(
            self.State.COMPLETED, ended_at=timezone.now(), end_reason=self.EndReason.TRANSFERRED
        )

    def send_back(self, reason: str, words: str, clinic: Clinic | None = None) -> None:
        self._move(
            self.State.RETURNED,
            ended_at=timezone.now(),
            end_reason=reason,
            end_words=words,
            suggested_clinic=clinic,
        )

    def put_back(self) -> None:
        """The talk broke off: any doctor of the clinic may go on with it."""
        self._move(self.State.REQUESTED, doctor=None)

    def cancel(self, reason: str) -> None:
        self._move(self.State.CANCELLED, ended_at=timezone.now(), end_reason=reason)
