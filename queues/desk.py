"""The doctor's desk: each line the doctor is on duty in, as rows to read."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import Doctor
from queues.line import turns
from queues.models import Clinic, Duty, Token

ROWS_SHOWN = 60


@dataclass(frozen=True)
class DeskRow:
    """One waiting patient. The consultation is the template's: `token.consultation`."""

    token: Token
    is_present: bool
    minutes: int


@dataclass(frozen=True)
class DeskLine:
    """One clinic's line."""

    clinic: Clinic
    is_paused: bool
    rows: list[DeskRow]
    waiting: int

    @property
    def present(self) -> int:
        return sum(row.is_present for row in self.rows)


def desk_lines(doctor: Doctor) -> list[DeskLine]:
    """3 queries per clinic the doctor is on duty in, whatever the length of its line."""
    duties = Duty.objects.on().filter(doctor=doctor).select_related("clinic__speciality")
    return [_line(duty) for duty in duties.order_by("clinic__name")]


def _line(duty: Duty) -> DeskLine:
    order = turns(duty.clinic)
    shown = Token.objects.select_related("patient", "consultation", "presence")
    tokens = shown.in_bulk(order[:ROWS_SHOWN])
    return DeskLine(
        clinic=duty.clinic,
        is_paused=duty.paused_at is not None,
        rows=[_row(tokens[pk]) for pk in order[:ROWS_SHOWN]],
        waiting=len(order),
    )


def _row(token: Token) -> DeskRow:
    now = timezone.now()
    presence = getattr(token, "presence", None)
    return DeskRow(
        token=token,
        is_present=presence is not None and presence.until > now,
        minutes=(now - token.issued_at) // timedelta(minutes=1),
    )
