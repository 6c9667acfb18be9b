import logging
import time
from datetime import timedelta

from django.core.cache import cache
from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.actions.answers import sweep_answers
from accounts.models import AccountSession, Message, PhoneDevice, RateLimit, SmsTemplate
from accounts.sms import SmsFailed, backend
from esanjeevani.celery_app import enqueue, sweep
from esanjeevani.rows import insert

SWEEP_SIZE = 200
TEMPLATES_REMEMBERED = 30  # seconds
MARK_AGAIN_AFTER = (0.5, 1, 2, 4, 8, 8, 8, 8)  # seconds; less than the claim's minute in all

log = logging.getLogger(__name__)


def queue_sms(
    *, to: str, key: str, language: str, is_secret: bool = False, **slots: object
) -> Message:
    """Write an SMS to the outbox in the caller's transaction; it is sent after the commit.

    Raises SmsTemplate.DoesNotExist when no registered text has this key: free text is never sent.
    """
    texts = _registered(key)
    found = texts.get(language) or texts.get("en")
    if found is None:
        raise SmsTemplate.DoesNotExist(f"No SMS template {key!r}. Run `manage.py seed`.")
    template, text = found
    message = Message(to=to, template_id=template, text=text.format(**slots), is_secret=is_secret)
    insert(message)
    enqueue("accounts.deliver", message.pk)
    return message


def _registered(key: str) -> dict[str, tuple[int, str]]:
    """Id and text of the template in each language; remembered for a while: they change with the law."""
    known: dict[str, tuple[int, str]] | None = cache.get(f"sms-{key}")
    if known is None:
        rows = SmsTemplate.objects.filter(key=key).values_list("language", "pk", "text")
        known = {language: (pk, text) for language, pk, text in rows}
        cache.set(f"sms-{key}", known, TEMPLATES_REMEMBERED if known else 0)
    return known


def deliver(message_id: int) -> bool:
    """Send one SMS of the outbox. False when it was sent before or somebody else is at it."""
    message = Message.objects.select_related("template").get(pk=message_id)
    if not message.claim():
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
    for message in Message.objects.lost()[:SWEEP_SIZE]:
        message.mark_failed("Whoever was sending it never came back.")
    due = list(Message.objects.due().order_by("due_at").values_list("pk", flat=True)[:SWEEP_SIZE])
    return sweep(deliver, due)


@transaction.atomic
def sweep_old() -> None:
    """Forget what need not be kept: counters of limits, codes long gone, sessions that ended."""
    RateLimit.objects.filter(window_at__lt=timezone.now() - timedelta(days=2)).delete()
    PhoneDevice.objects.filter(sent_at__lt=timezone.now() - timedelta(days=7)).delete()
    AccountSession.objects.filter(expire_date__lt=timezone.now()).delete()
    sweep_answers()
