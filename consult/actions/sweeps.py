from django.db import transaction

from consult import broadcast
from consult.actions.room import after_pass
from consult.actions.telling import tell_at_home
from consult.day import midnight
from consult.models import Consultation
from queues.actions import expire_old, pass_unanswered, people_near_their_turn, put_heads_forward
from queues.models import MoveRefused, Token


def sweep_lines() -> None:
    """What time does to lines: unanswered calls, turns that come near, days that end, where they begin.

    Runs every few seconds, in several processes without harm: each step moves a row once.
    """
    _end_unanswered_calls()
    _tell_absent_people()
    _end_yesterday()
    put_heads_forward()


def _end_unanswered_calls() -> None:
    with transaction.atomic():
        for token in pass_unanswered():
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


def _end_yesterday() -> None:
    expire_old()
    # Not of today: to hold the tokens of all who wait now against their cases took longer than the rest.
    left = Consultation.objects.with_people().filter(
        state=Consultation.State.REQUESTED,
        requested_at__lt=midnight(),
        token__state=Token.State.EXPIRED,
    )
    for consultation in left[:500]:
        try:
            with transaction.atomic():
                consultation.cancel(Consultation.EndReason.DAY_OVER)
                clinic = consultation.clinic.name_in(consultation.patient.language)
                tell_at_home(consultation, "day_over", clinic=clinic)
                broadcast.consultation_changed(consultation)
        except MoveRefused:
            continue


def _of(token: Token) -> Consultation:
    return Consultation.objects.with_people().get(token=token)
