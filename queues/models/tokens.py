from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor, Patient, User
from accounts.models.base import Public
from esanjeevani.sql.changes import Change
from queues.models.clinics import Clinic
from queues.models.moves import MoveRefused, Moving, moved

# After this many priority calls in a row an ordinary patient goes.
PRIORITY_RUN = 3


class TokenQuerySet(models.QuerySet["Token"]):
    def waiting(self) -> "TokenQuerySet":
        return self.filter(state=Token.State.WAITING)

    def open(self) -> "TokenQuerySet":
        return self.filter(ended_at=None)

    def held(self) -> "TokenQuerySet":
        """With a doctor: called or being served."""
        return self.filter(state__in=Token.HELD)

    def in_line(self, clinic: Clinic) -> "TokenQuerySet":
        """Who waits in `clinic`: of today, and of yesterday where the clinic never closed."""
        return self.waiting().filter(clinic=clinic)

    def present(self) -> "TokenQuerySet":
        return self.filter(presence__until__gt=timezone.now())


class Token(Public, Moving):
    """One place in the line of one clinic on one day. It says where; the consultation says what."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        CALLED = "called", _("Called")
        SERVING = "serving", _("With the doctor")
        DONE = "done", _("Done")
        NO_SHOW = "no_show", _("Did not answer")
        LEFT = "left", _("Left the line")
        MOVED = "moved", _("Moved to another clinic")
        EXPIRED = "expired", _("Day over")

    class Priority(models.IntegerChoices):
        EMERGENCY = 0, _("Emergency")
        PRIORITY = 1, _("Priority")
        ORDINARY = 2, _("In order")

    NEXT: ClassVar[dict[str, set[str]]] = {
        State.WAITING: {State.CALLED, State.LEFT, State.MOVED, State.EXPIRED},
        State.CALLED: {State.SERVING, State.WAITING, State.NO_SHOW, State.LEFT},
        State.SERVING: {State.DONE, State.LEFT, State.MOVED, State.WAITING},
        State.DONE: set(),
        State.NO_SHOW: set(),
        State.LEFT: set(),
        State.MOVED: set(),
        State.EXPIRED: set(),
    }
    OPEN: ClassVar[list[str]] = [State.WAITING, State.CALLED, State.SERVING]
    HELD: ClassVar[list[str]] = [State.CALLED, State.SERVING]
    PASSES = 2  # calls not answered until the place is lost

    # Without an index of its own where one of those below begins with it, or nobody asks for it: the
    # table grows by crores of rows (docs/decisions/0016-growth.md).
    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, related_name="tokens", db_index=False
    )
    day = models.DateField()
    number = models.PositiveIntegerField()
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="tokens")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.ORDINARY)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    issued_at = models.DateTimeField(default=timezone.now)
    doctor = models.ForeignKey(
        Doctor, on_delete=models.PROTECT, null=True, blank=True, related_name="tokens"
    )
    called_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    passes = models.PositiveSmallIntegerField("calls not answered", default=0)
    yields = models.BooleanField("lets the next one go first", default=False)
    comes_first = models.BooleanField("put back when the talk broke off", default=False)
    told_at = models.DateTimeField("told that the turn is near", null=True, blank=True)
    moved_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    brought_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="The health worker at whose screen the patient sits.",
    )
    expected_low = models.PositiveSmallIntegerField("minutes told, at least", null=True, blank=True)
    expected_high = models.PositiveSmallIntegerField("minutes told, at most", null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "day", "number"], name="queue_token_number_once_per_day"
            ),
            models.UniqueConstraint(
                fields=["clinic", "patient"],
                condition=Q(ended_at=None),
                name="queue_token_one_open_per_patient_and_clinic",
            ),
            # An index of who is held serves only who asks for its own column: that it is not null is
            # always so and follows from nothing else (docs/decisions/0043-who-is-held-is-asked-by-name.md).
            models.UniqueConstraint(
                fields=["doctor"],
                condition=Q(state__in=["called", "serving"], doctor__isnull=False),
                name="queue_token_one_held_per_doctor",
            ),
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(state__in=["called", "serving"], patient__isnull=False),
                name="queue_token_one_held_per_patient",
            ),
            # One screen, one call. An emergency may come beside another call.
            models.UniqueConstraint(
                fields=["brought_by"],
                condition=Q(
                    state__in=["called", "serving"], priority__gt=0, brought_by__isnull=False
                ),
                name="queue_token_one_held_per_screen",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["called", "serving", "done", "no_show"])
                | Q(doctor__isnull=False, called_at__isnull=False),
                name="queue_token_called_has_doctor_and_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "called", "serving"], ended_at=None)
                | Q(state__in=["done", "no_show", "left", "moved", "expired"])
                & Q(ended_at__isnull=False),
                name="queue_token_ended_has_time",
            ),
        ]
        indexes = [
            # The one that "who waits" may lead to. Whoever asks for all that is open in the service names
            # what its index says, that it has not ended (docs/decisions/0068-the-line-has-one-index.md).
            models.Index(
                fields=["clinic", "-comes_first", "yields", "priority", "day", "number"],
                condition=Q(state="waiting"),
                name="queue_token_in_turn",
            ),
            models.Index(
                fields=["clinic", "-called_at"],
                condition=Q(called_at__isnull=False),
                name="queue_token_last_calls",
            ),
            models.Index(
                fields=["state", "day"],
                condition=Q(ended_at=None),
                name="queue_token_open",
            ),
            models.Index(
                fields=["brought_by"],
                condition=Q(state__in=["called", "serving"], brought_by__isnull=False),
                name="queue_token_at_screen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def answer_by(self) -> Any:
        """Until when a call must be answered; None when not called."""
        if self.state != self.State.CALLED or self.called_at is None:
            return None
        return self.called_at + timedelta(seconds=self.clinic.call_window)

    def _only_from(self, state: str) -> None:
        """Two verbs lead back to the line; each is for one state. Raises MoveRefused."""
        if self.state != state:
            raise MoveRefused(f"A token that is {self.state} does not go back to the line so.")

    def call(self, doctor: Doctor) -> None:
        now = timezone.now()
        self._move(self.State.CALLED, doctor=doctor, called_at=now, yields=False)

    def answer(self, at_screen_of: User | None = None) -> None:
        """Raises MoveRefused also when it is another doctor who calls by now."""
        moved(self.answering(at_screen_of)).ask()

    def answering(self, at_screen_of: User | None = None) -> Change:
        """answer(), to be made together with other moves."""
        return self._moving(
            self.State.SERVING,
            only={"doctor": self.doctor_id},
            answered_at=timezone.now(),
            passes=0,
            brought_by=at_screen_of,
        )

    def finish(self) -> None:
        moved(self.finishing()).ask()

    def finishing(self) -> Change:
        return self._moving(self.State.DONE, ended_at=timezone.now())

    def leave(self) -> None:
        self._move(self.State.LEFT, ended_at=timezone.now())

    def move(self, to: "Token") -> None:
        """The patient now has a place in another clinic's line instead."""
        self._move(self.State.MOVED, ended_at=timezone.now(), moved_to=to)

    def expire(self) -> None:
        self._move(self.State.EXPIRED, ended_at=timezone.now())

    def pass_over(self) -> None:
        """The call was not answered: once keeps the place, the second time loses it."""
        self._only_from(self.State.CALLED)
        if self.passes + 1 >= self.PASSES:
            self._move(self.State.NO_SHOW, passes=self.passes + 1, ended_at=timezone.now())
        else:
            self._move(
                self.State.WAITING,
                passes=self.passes + 1,
                yields=True,
                comes_first=False,
                doctor=None,
            )

    def put_back(self) -> None:
        """The talk broke off: waits again, before all but emergencies, and is told when absent."""
        self._only_from(self.State.SERVING)
        self._move(
            self.State.WAITING, comes_first=True, doctor=None, answered_at=None, told_at=None
        )
