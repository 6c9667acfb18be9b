"""What a doctor's desk shows besides its lines: who is held, and what is asked of this doctor alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import BigAutoField, Exists, Q, QuerySet

from accounts.models import Doctor
from consult.models import Consultation, Opinion, RefillRequest
from esanjeevani.composed import Composed
from queues.desk import OwnLine
from queues.models import Duty, KeptApart, Token

SHOWN = 50
PEOPLE = ["patient", "clinic", "facility"]


def _working(doctor: Any) -> "QuerySet[Duty, int]":
    return Duty.objects.working().filter(doctor=doctor).values_list("clinic", flat=True)


def _opinions(doctor: Any) -> QuerySet[Opinion]:
    asked = Q(state=Opinion.State.ASKED, clinic__in=_working(doctor))
    joined = Q(state=Opinion.State.JOINED, specialist=doctor)
    with_people = Opinion.objects.select_related(
        "consultation__patient", "clinic__speciality", "asked_by__user"
    )
    rows = with_people.filter(asked | joined).exclude(asked_by=doctor)
    return rows.order_by("asked_at")[:SHOWN]


def _pile(doctor: Any) -> QuerySet[Consultation]:
    rows = Consultation.objects.to_answer_in_writing().filter(clinic__in=_working(doctor))
    rows = rows.exclude(Exists(KeptApart.of_token(doctor))).select_related(*PEOPLE)
    return rows.order_by("-is_emergency", "requested_at")[:SHOWN]


def _mine(doctor: Any) -> QuerySet[Consultation]:
    answering = Consultation.objects.filter(
        doctor=doctor, state=Consultation.State.IN_PROGRESS, is_written=True
    )
    return answering.select_related(*PEOPLE).order_by("started_at")


OPINIONS = Composed(_opinions, doctor=BigAutoField())
PILE = Composed(_pile, doctor=BigAutoField())
MINE = Composed(_mine, doctor=BigAutoField())
REFILLS = Composed(
    lambda doctor: RefillRequest.objects.filter(doctor=doctor).on_the_desk(),
    doctor=BigAutoField(),
)
HELD = Composed(
    lambda doctor: (
        Token.objects.held()
        .filter(doctor=doctor)
        .select_related("patient", "clinic", "consultation")
    ),
    doctor=BigAutoField(),
)


@dataclass(frozen=True)
class Asked:
    """What waits for one doctor besides the line."""

    opinions: list[Opinion]  # a colleague asks for them, or this doctor has joined
    pile: list[Consultation]  # cases that anybody on duty may answer in writing
    mine: list[Consultation]  # those that this doctor took

    @classmethod
    def of(cls, doctor: Doctor) -> "Asked":
        """In 3 queries."""
        own = doctor.pk
        return cls(OPINIONS.all(doctor=own), PILE.all(doctor=own), MINE.all(doctor=own))


@dataclass(frozen=True)
class OwnPart:
    """The part of a desk that is one doctor's own."""

    held: Token | None
    refills: list[RefillRequest]
    asked: Asked

    @classmethod
    def of(cls, doctor: Doctor) -> "OwnPart":
        """In 5 queries."""
        return cls(HELD.first(doctor=doctor.pk), REFILLS.all(doctor=doctor.pk), Asked.of(doctor))

    @property
    def version(self) -> str:
        """Changes with what is shown: the page compares it with its own."""
        held = [self.held] if self.held else []
        states: list[Any] = [*held, *self.refills, *self.asked.opinions, *self.asked.mine]
        parts = [f"{row.pk}{row.state}" for row in states] + [
            str(row.pk) for row in self.asked.pile
        ]
        return ".".join(parts)


def duties_version(duties: Iterable[Duty | OwnLine]) -> str:
    """Changes when the doctor goes on or off duty, or pauses."""
    return ".".join(f"{one.clinic.pk}{'p' if one.is_paused else ''}" for one in duties)
