"""What time made due in the lines: calls without an answer, places of yesterday, SMS before a turn."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from django.db import transaction

from consult import broadcast
from consult.actions.room import after_pass
from consult.actions.telling import tell_at_home
from consult.models import Consultation
from queues import due
from queues.actions import (
    expire_place,
    old_places,
    pass_unanswered,
    people_near_their_turn,
    put_heads_forward,
    unanswered_calls,
)
from queues.models import MoveRefused, Token


def sweep_lines() -> None:
    """What time does to lines: unanswered calls, turns that come near, days that end, where they begin.

    Runs every few seconds, in several processes without harm: each step moves a row once.
    """
    now = due.look()
    if now.calls:
        _each(unanswered_calls(), _end_call)
    if now.turns:
        _tell_absent_people()
    if now.days:
        _each(old_places(), _end_of_day)
    if now.heads:
        put_heads_forward()


def _each(tokens: Iterable[Token], move: Callable[[Token], None]) -> None:
    """In a transaction of its own: what one holds, nobody waits for who holds what the next one needs.

    Whoever was moved meanwhile, by a person or by another sweep, is left.
    """
    for token in tokens:
        with suppress(MoveRefused):
            move(token)


@transaction.atomic
def _end_call(token: Token) -> None:
    pass_unanswered(token=token)
    after_pass(token, _of(token))


def _tell_absent_people() -> None:
    with transaction.atomic():
        for token, ahead in people_near_their_turn():
            tell_at_home(
                _of(token),
                "near",
                number=token.number,
                clinic=token.clinic.name_in(token.patient.language),
                ahead=ahead,
            )


@transaction.atomic
def _end_of_day(token: Token) -> None:
    """The place and the visit that waited in it end together, or neither."""
    expire_place(token=token)
    consultation = _of(token)
    consultation.cancel(Consultation.EndReason.DAY_OVER)
    clinic = consultation.clinic.name_in(consultation.patient.language)
    tell_at_home(consultation, "day_over", clinic=clinic)
    broadcast.consultation_changed(consultation)


def _of(token: Token) -> Consultation:
    return Consultation.objects.with_people().get(token=token)
