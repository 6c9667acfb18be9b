"""What a doctor's desk shows besides its lines: who is held, and what is asked of this doctor alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BigAutoField, Exists, OuterRef, Q, QuerySet

from accounts.models import AuditEvent, Doctor
from consult.models import Consultation, Opinion, RefillRequest
from esanjeevani.sql.composed import Columns, Composed
from queues.models import Duty, KeptApart, Token

SHOWN = 50
PEOPLE = ["patient", "clinic", "facility"]


def _working(doctor: Any) -> "QuerySet[Duty, int]":
    return Duty.objects.working().filter(doctor=doctor).values_list("clinic", flat=True)


def _further_in(doctor: Any) -> Any:
    """The same doctor in a query inside of the query."""
    return OuterRef(doctor) if isinstance(doctor, OuterRef) else doctor


def _held(doctor: Any) -> QuerySet[Token]:
    return Token.objects.held().filter(doctor=doctor)


def _refills(doctor: Any) -> QuerySet[RefillRequest]:
    return RefillRequest.objects.filter(doctor=doctor).on_the_desk()


def _opinions(doctor: Any) -> QuerySet[Opinion]:
    asked = Q(state=Opinion.State.ASKED, clinic__in=_working(_further_in(doctor)))
    joined = Q(state=Opinion.State.JOINED, specialist=doctor)
    return Opinion.objects.filter(asked | joined).exclude(asked_by=doctor)


def _pile(doctor: Any) -> QuerySet[Consultation]:
    inner = _further_in(doctor)
    rows = Consultation.objects.to_answer_in_writing().filter(clinic__in=_working(inner))
    return rows.exclude(Exists(KeptApart.of_token(inner)))


def _mine(doctor: Any) -> QuerySet[Consultation]:
    return Consultation.objects.filter(
        doctor=doctor, state=Consultation.State.IN_PROGRESS, is_written=True
    )


def is_there_any(doctor: Any) -> list[Exists]:
    """Of each kind, for a query of doctors: mostly there is nothing."""
    return [Exists(part(doctor)) for part in (_held, _refills, _opinions, _pile, _mine)]


LOOK = Columns(
    lambda doctor: Doctor.objects.filter(pk=doctor).values_list(*is_there_any(doctor)),
    doctor=BigAutoField(),
)
HELD = Composed(
    lambda doctor: _held(doctor).select_related("patient", "clinic", "consultation"),
    doctor=BigAutoField(),
)
REFILLS = Composed(_refills, doctor=BigAutoField())
OPINIONS = Composed(
    lambda doctor: (
        _opinions(doctor)
        .select_related("consultation__patient", "clinic__speciality", "asked_by__user")
        .order_by("asked_at")[:SHOWN]
    ),
    doctor=BigAutoField(),
)
PILE = Composed(
    lambda doctor: (
        _pile(doctor).select_related(*PEOPLE).order_by("-is_emergency", "requested_at")[:SHOWN]
    ),
    doctor=BigAutoField(),
)
MINE = Composed(
    lambda doctor: _mine(doctor).select_related(*PEOPLE).order_by("started_at"),
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
    def of(
        cls, doctor: Doctor, called: Token | None = None, seen: AuditEvent | None = None
    ) -> "OwnPart":
        """In a query, and one for each kind of which there is any but who was just `called`.

        `seen` is written down with the first.
        """
        own = doctor.pk
        (there,) = LOOK.columns(seen, doctor=own)
        return cls.read(own, there, called)

    @classmethod
    def read(cls, own: int, there: Sequence[bool], called: Token | None = None) -> "OwnPart":
        """Of the doctor with this key, when is_there_any() is known."""
        holds, refills, opinions, pile, mine = there
        return cls(
            (called or HELD.first(doctor=own)) if holds else None,
            REFILLS.all(doctor=own) if refills else [],
            Asked(
                OPINIONS.all(doctor=own) if opinions else [],
                PILE.all(doctor=own) if pile else [],
                MINE.all(doctor=own) if mine else [],
            ),
        )

    @property
    def version(self) -> str:
        """Changes with what is shown: the page compares it with its own."""
        held = [self.held] if self.held else []
        states: list[Any] = [*held, *self.refills, *self.asked.opinions, *self.asked.mine]
        parts = [f"{row.pk}{row.state}" for row in states] + [
            str(row.pk) for row in self.asked.pile
        ]
        return ".".join(parts)


def duties_version(duties: Iterable[tuple[int, bool]]) -> str:
    """Changes when the doctor goes on or off duty, or pauses: by clinic and whether the doctor does."""
    return ".".join(f"{clinic}{'p' if is_paused else ''}" for clinic, is_paused in duties)
