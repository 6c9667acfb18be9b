from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Doctor
from accounts.models.base import Public
from queues.models import Clinic, Moving


class Opinion(Public, Moving):
    """One question of the treating doctor to a specialist, who joins the room or answers in writing.

    The doctor who asks stays the treating doctor (Telemedicine Practice Guidelines 2020, 4.5).
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Asked")
        JOINED = "joined", _("The specialist is here")
        ANSWERED = "answered", _("Answered")
        WITHDRAWN = "withdrawn", _("No longer needed")

    NEXT: ClassVar[dict[str, set[str]]] = {
        State.ASKED: {State.JOINED, State.WITHDRAWN},
        State.JOINED: {State.ANSWERED, State.WITHDRAWN},
        State.ANSWERED: set(),
        State.WITHDRAWN: set(),
    }
    OPEN: ClassVar[list[str]] = [State.ASKED, State.JOINED]

    consultation = models.ForeignKey(
        "consult.Consultation", on_delete=models.PROTECT, related_name="opinions"
    )
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="opinions")
    asked_by = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="opinions_asked")
    question = models.TextField(_("What do you want to know?"), max_length=1000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField(default=timezone.now)
    specialist = models.ForeignKey(
        Doctor, on_delete=models.PROTECT, null=True, blank=True, related_name="opinions_given"
    )
    joined_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(_("Your opinion"), max_length=2000, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation"],
                condition=Q(state__in=["asked", "joined"]),
                name="consult_opinion_one_open_per_consultation",
            ),
            models.CheckConstraint(
                condition=Q(specialist=None, joined_at=None)
                | Q(specialist__isnull=False, joined_at__isnull=False),
                name="consult_opinion_joined_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "joined"], ended_at=None)
                | Q(state__in=["answered", "withdrawn"], ended_at__isnull=False),
                name="consult_opinion_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "asked_at"],
                condition=Q(state="asked"),
                name="consult_opinion_to_give",
            )
        ]

    def __str__(self) -> str:
        return self.get_state_display()

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    def join(self, specialist: Doctor) -> None:
        self._move(self.State.JOINED, specialist=specialist, joined_at=timezone.now())

    def give(self, answer: str) -> None:
        self._move(self.State.ANSWERED, answer=answer, ended_at=timezone.now())

    def withdraw(self) -> None:
        self._move(self.State.WITHDRAWN, ended_at=timezone.now())
