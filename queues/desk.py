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
    is_at_busy_screen: bool  # the health worker is in another call
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
        """Who can be called now."""
        return sum(row.is_present and not row.is_at_busy_screen for row in self.rows)


def desk_lines(doctor: Doctor) -> list[DeskLine]:
    """4 queries per clinic the doctor is on duty in, whatever the length of its line."""
    duties = Duty.objects.on().filter(doctor=doctor).select_related("clinic__speciality")
    return [_line(duty) for duty in duties.order_by("clinic__name")]


def _line(duty: Duty) -> DeskLine:
    order = turns(duty.clinic)
    shown = Token.objects.select_related("patient", "consultation", "presence")
    tokens = shown.in_bulk(order[:ROWS_SHOWN])
    workers = {token.brought_by_id for token in tokens.values()} - {None}
    held = Token.objects.held().filter(brought_by__in=workers)
    busy = set(held.values_list("brought_by_id", flat=True)) if workers else set()
    return DeskLine(
        clinic=duty.clinic,
        is_paused=duty.paused_at is not None,
        rows=[_row(tokens[pk], busy) for pk in order[:ROWS_SHOWN]],
        waiting=len(order),
    )


def _row(token: Token, busy: set[int]) -> DeskRow:
    now = timezone.now()
    presence = getattr(token, "presence", None)
    return DeskRow(
        token=token,
        is_present=presence is not None and presence.until > now,
        is_at_busy_screen=token.priority != Token.Priority.EMERGENCY
        and token.brought_by_id in busy,
        minutes=(now - token.issued_at) // timedelta(minutes=1),
    )
