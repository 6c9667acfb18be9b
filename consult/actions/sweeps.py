from django.db import transaction

from accounts.actions import queue_sms
from consult import broadcast
from consult.actions.room import after_pass
from consult.links import sms_link
from consult.models import Consultation
from queues.actions import expire_old, pass_unanswered, people_near_their_turn
from queues.models import MoveRefused, Token


def sweep_lines() -> None:
    """What time does to lines: unanswered calls, turns that come near, days that end.

    Runs every few seconds, in several processes without harm: each step moves a row once.
    """
    _end_unanswered_calls()
    _tell_absent_people()
    _end_yesterday()


def _end_unanswered_calls() -> None:
    with transaction.atomic():
        for token in pass_unanswered():
            after_pass(token, _of(token))


def _tell_absent_people() -> None:
    with transaction.atomic():
        for token, ahead in people_near_their_turn():
            queue_sms(
                to=token.patient.account.phone,
                key="near",
                language=token.patient.language,
                number=token.number,
                clinic=token.clinic.name_in(token.patient.language),
                ahead=ahead,
                link=sms_link(_of(token)),
            )


def _end_yesterday() -> None:
    expire_old()
    left = Consultation.objects.with_people().filter(
        state=Consultation.State.REQUESTED, token__state=Token.State.EXPIRED
    )
    for consultation in left[:500]:
        try:
            with transaction.atomic():
                consultation.cancel(Consultation.EndReason.DAY_OVER)
                queue_sms(
                    to=consultation.patient.account.phone,
                    key="day_over",
                    language=consultation.patient.language,
                    clinic=consultation.clinic.name_in(consultation.patient.language),
                    link=sms_link(consultation),
                )
                broadcast.consultation_changed(consultation)
        except MoveRefused:
            continue


def _of(token: Token) -> Consultation:
    return Consultation.objects.with_people().get(token=token)
