"""SMS: written to the outbox with what they are about, sent by tasks, swept when one was lost."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from django.core.cache import cache
from django.db import Error, connection, transaction
from django.db.models import DateTimeField
from django.utils import timezone

from accounts.actions.answers import sweep_answers
from accounts.models import AccountSession, Message, PhoneDevice, RateLimit, SmsTemplate
from accounts.models.messages import CLAIM_LEASE
from accounts.sms import SmsFailed, backend
from esanjeevani.celery_app import enqueue, sweep
from esanjeevani.postgresql.statements import Asked
from esanjeevani.sql.composed import Columns, Composed, Question
from esanjeevani.sql.instances import new
from esanjeevani.sql.prepared import ask
from esanjeevani.sql.rows import is_inserted

SWEEP_SIZE = 200
TEXTS_REMEMBERED = 30  # seconds
WRITE = """
INSERT INTO accounts_message ("to", template_id, text, is_secret, state, created_at, due_at, attempts, error)
SELECT %(to)s, id, %(text)s, %(is_secret)s, 'queued', %(at)s, %(at)s, 0, ''
FROM accounts_smstemplate WHERE key = %(sms)s AND language = %(language)s
"""
LOST = Composed(lambda stale: Message.objects.lost(stale)[:SWEEP_SIZE], stale=DateTimeField())
DUE = Columns(
    lambda now, stale: (
        Message.objects.due(now, stale).order_by("due_at").values_list("pk")[:SWEEP_SIZE]
    ),
    now=DateTimeField(),
    stale=DateTimeField(),
)
MARK_AGAIN_AFTER = (0.5, 1, 2, 4, 8, 8, 8, 8)  # seconds; less than the claim's minute in all

log = logging.getLogger(__name__)


def queue_sms(
    *, to: str, key: str, language: str, is_secret: bool = False, **slots: object
) -> Message:
    """Write an SMS to the outbox in the caller's transaction; it is sent after the commit.

    Raises SmsTemplate.DoesNotExist when no registered text has this key: free text is never sent.
    """
    asked = queueing_sms(to=to, key=key, language=language, is_secret=is_secret, **slots)
    return cast(Message, asked.ask())


def queueing_sms(
    *, to: str, key: str, language: str, is_secret: bool = False, **slots: object
) -> Question:
    """As queue_sms(), to be asked together() with what the SMS is about."""
    message = new(Message, to=to, is_secret=is_secret)

    def read(written: Sequence[Any]) -> Message:
        if not written:  # the text went since it was remembered
            cache.delete(_remembered_as(key))
            written = ask(*_writing(message, key, language, slots)).rows
        [(pk, message.template_id)] = written
        is_inserted(message, pk)
        enqueue("accounts.deliver", message.pk)
        return message

    return Question(_writing(message, key, language, slots), read)


def _writing(message: Message, key: str, language: str, slots: dict[str, object]) -> Asked:
    """Into the outbox, if there is such a text still: it is found as the row is written."""
    return f"{WRITE} RETURNING id, template_id", sms_values(message, key, language, slots)


def sms_values(
    message: Message, key: str, language: str, slots: dict[str, object]
) -> dict[str, Any]:
    """What WRITE has places for; the message gets its text. Raises SmsTemplate.DoesNotExist."""
    texts = _registered(key)
    chosen = language if language in texts else "en"
    if chosen not in texts:
        raise SmsTemplate.DoesNotExist(f"No SMS template {key!r}. Run `manage.py seed`.")
    message.text = texts[chosen].format(**slots)
    return {
        "to": message.to,
        "text": message.text,
        "is_secret": message.is_secret,
        "at": message.created_at,
        "sms": key,
        "language": chosen,
    }


def _registered(key: str) -> dict[str, str]:
    """The text in each language; remembered for a while: they change with the law."""
    known: dict[str, str] | None = cache.get(_remembered_as(key))
    if known is None:
        known = dict(SmsTemplate.objects.filter(key=key).values_list("language", "text"))
        cache.set(_remembered_as(key), known, TEXTS_REMEMBERED if known else 0)
    return known


def _remembered_as(key: str) -> str:
    return f"sms-{key}"


def deliver(message_id: int) -> bool:
    """Send one SMS of the outbox. False when it was sent before or somebody else is at it."""
    message = Message.claimed(message_id)
    if message is None:
        return False
    try:
        backend().send(message)
    except SmsFailed as error:
        message.mark_failed(str(error))
        return False
    _mark_sent(message)
    return True


def _mark_sent(message: Message) -> None:
    """The gateway has it: a database that restarts now must not have it sent again.

    Tried for as long as the claim holds. Raises django.db.Error when the database stays away: then
    the row is sent once more, by whoever takes the claim over.
    """
    for pause in MARK_AGAIN_AFTER:
        try:
            message.mark_sent()
        except Error as error:
            log.warning("SMS %s is sent but not marked yet: %s", message.pk, error)
            connection.close()
            time.sleep(pause)
        else:
            return
    message.mark_sent()


def sweep_messages() -> int:
    """Send what a crash or an absent broker left behind. Returns how many were sent."""
    now = timezone.now()
    for message in LOST.all(stale=now - CLAIM_LEASE):
        message.mark_failed("Whoever was sending it never came back.")
    return sweep(deliver, [pk for (pk,) in DUE.columns(now=now, stale=now - CLAIM_LEASE)])


@transaction.atomic
def sweep_old() -> None:
    """Forget what need not be kept: counters of limits, codes long gone, sessions that ended."""
    RateLimit.objects.filter(window_at__lt=timezone.now() - timedelta(days=2)).delete()
    PhoneDevice.objects.filter(sent_at__lt=timezone.now() - timedelta(days=7)).delete()
    AccountSession.objects.filter(expire_date__lt=timezone.now()).delete()
    sweep_answers()
