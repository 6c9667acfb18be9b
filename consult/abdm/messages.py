"""Messages as rows: sent and worked on by tasks that may run twice, found again by a sweep."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Patient
from consult.abdm import gateway
from consult.models import AbdmConsent, AbdmMessage
from esanjeevani.celery_app import enqueue

IN, OUT = AbdmMessage.Direction.IN, AbdmMessage.Direction.OUT
# Seconds until it is tried again. Soon at first: a patient looks at their app and waits.
PAUSES = [1, 2, 5, 15, 60, 300, 1800, 7200]
LONGEST_ID = 64  # characters
PUSH = "push"  # the one kind that goes past the gateway, to an address that somebody else names


class NotYet(Exception):
    """It speaks of something that has not come yet: messages overtake each other. Tried again later."""


class Malformed(Exception):
    """It lacks what its kind must have."""


def send(
    kind: str,
    path: str,
    body: dict[str, Any],
    *,
    consent: AbdmConsent | None = None,
    patient: Patient | None = None,
    secret: str = "",
    link_token: str = "",
) -> AbdmMessage:
    """Written in the caller's transaction, sent after the commit. `secret` stays here for the answer."""
    message = AbdmMessage.objects.create(
        direction=OUT,
        request_id=str(uuid.uuid4()),
        kind=kind,
        body={"path": path, "body": body, "secret": secret, "link_token": link_token},
        consent=consent,
        patient=patient,
    )
    enqueue("consult.abdm", message.pk)
    return message


def receive(kind: str, request_id: str, body: dict[str, Any]) -> bool:
    """Keep a callback and work on it after the commit; False when it was delivered before."""
    try:
        with transaction.atomic():
            message = AbdmMessage.objects.create(
                direction=IN, request_id=request_id, kind=kind, body=body
            )
            enqueue("consult.abdm", message.pk)
    except IntegrityError:
        return False
    return True


def deliver(message: AbdmMessage) -> None:
    """Send one to the gateway. Raises GatewayAway, GatewayRefused."""
    said = message.body
    headers = {"X-LINK-TOKEN": said["link_token"]} if said.get("link_token") else {}
    if message.kind == PUSH:
        gateway.push(said["path"], said["body"])
    else:
        gateway.post(said["path"], said["body"], request_id=message.request_id, **headers)


def claim(message_id: int) -> AbdmMessage | None:
    """The message, for one worker at a time; None when it is done or somebody is at it."""
    now = timezone.now()
    mine = AbdmMessage.objects.filter(pk=message_id, done_at=None, due_at__lte=now)
    taken = mine.filter(tries__lt=AbdmMessage.MAX_TRIES).update(due_at=now + timedelta(seconds=60))
    return (
        AbdmMessage.objects.select_related("consent", "patient").get(pk=message_id)
        if taken
        else None
    )


def done(message: AbdmMessage) -> None:
    """What was in it is not kept: the rows that it changed say what came of it."""
    kept = {"secret": message.body.get("secret", "")} if message.direction == OUT else {}
    AbdmMessage.objects.filter(pk=message.pk).update(done_at=timezone.now(), body=kept, error="")


def failed(
    message: AbdmMessage,
    error: Exception,
    *,
    for_good: bool = False,
    kept: dict[str, Any] | None = None,
) -> bool:
    """Tried again later, or given up: then no more than `kept` stays of it. Whether it was given up."""
    tries = AbdmMessage.MAX_TRIES if for_good else message.tries + 1
    due = timezone.now() + timedelta(seconds=PAUSES[min(message.tries, len(PAUSES) - 1)])
    AbdmMessage.objects.filter(pk=message.pk).update(
        tries=tries,
        due_at=due,
        error=f"{type(error).__name__}: {error}"[:200],
        body=(kept or {}) if tries >= AbdmMessage.MAX_TRIES else message.body,
    )
    return tries >= AbdmMessage.MAX_TRIES


def unfinished(kind: str) -> int:
    """How many callbacks of this kind are kept and neither done nor given up."""
    rows = AbdmMessage.objects.filter(direction=IN, kind=kind, done_at=None)
    return rows.filter(tries__lt=AbdmMessage.MAX_TRIES).count()


def due() -> list[int]:
    rows = AbdmMessage.objects.filter(
        done_at=None, due_at__lte=timezone.now(), tries__lt=AbdmMessage.MAX_TRIES
    )
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:100])


def at(body: Any, path: str) -> Any:
    """What stands at a dotted path. Raises Malformed."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    if body is None:
        raise Malformed(path)
    return body


def text_at(body: Any, path: str) -> str:
    value = at(body, path)
    if not isinstance(value, str) or not value:
        raise Malformed(path)
    return value


def id_at(body: Any, path: str) -> str:
    """An id that others gave, no longer than we can keep."""
    value = text_at(body, path)
    if len(value) > LONGEST_ID:
        raise Malformed(path)
    return value


def rows_at(body: Any, path: str) -> list[Any]:
    value = at(body, path)
    if not isinstance(value, list):
        raise Malformed(path)
    return value
