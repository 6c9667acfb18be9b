"""What is done with each message: the table of callbacks, and the task behind it."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from consult.abdm import asking, ended, gateway, holding, linking, messages, receiving, sharing
from consult.abdm.crypto import NotReadable
from consult.models import AbdmMessage
from esanjeevani.celery_app import sweep

# By the address that the gateway calls, below /abdm/api/v3/; records come to /abdm/data.
CALLBACKS: dict[str, Callable[..., None]] = {
    "hip/token/on-generate-token": holding.on_link_token,
    "link/on_carecontext": holding.on_linked,
    "hip/patient/share": sharing.on_share,
    "hip/patient/care-context/discover": linking.on_discover,
    "hip/link/care-context/init": linking.on_init,
    "hip/link/care-context/confirm": linking.on_confirm,
    ended.HELD: holding.on_consent,
    "hip/health-information/request": holding.on_request,
    "hiu/consent/request/on-init": asking.on_asked,
    ended.ASKED_FOR: asking.on_decision,
    "hiu/consent/on-fetch": asking.on_artefact,
    "hiu/health-information/on-request": receiving.on_records_asked,
    "data": receiving.on_data,
}
# These name the request in their answer.
ANSWERS = {
    sharing.on_share,
    linking.on_discover,
    linking.on_init,
    linking.on_confirm,
    holding.on_consent,
    holding.on_request,
    asking.on_decision,
}
# What people were told is on its way, when a message of ours is given up.
GIVEN_UP: dict[str, Callable[[AbdmMessage], None]] = {
    "link.token": holding.not_linked,
    "link.contexts": holding.not_linked,
    "consent.ask": asking.not_asked,
}


def work_on(message_id: int) -> bool:
    """Send it, or do what it asks for. May run twice: a message is claimed, and done once."""
    message = messages.claim(message_id)
    if message is None:
        return False
    try:
        if message.direction == messages.OUT:
            messages.deliver(message)
            messages.done(message)
        else:
            _take_in(message)
    except (gateway.GatewayAway, messages.NotYet) as error:
        _failed(message, error)
        return False
    except (gateway.GatewayRefused, messages.Malformed, NotReadable) as error:
        _failed(message, error, for_good=True)
        return False
    except Exception as error:
        messages.failed(message, error, kept=ended.remembered(message))
        raise
    return True


@transaction.atomic
def _failed(message: AbdmMessage, error: Exception, *, for_good: bool = False) -> None:
    undo = GIVEN_UP.get(message.kind)
    kept = {} if for_good else ended.remembered(message)
    if messages.failed(message, error, for_good=for_good, kept=kept) and undo:
        undo(message)


@transaction.atomic
def _take_in(message: AbdmMessage) -> None:
    do = CALLBACKS[message.kind]
    more: list[Any] = [message.request_id] if do in ANSWERS else []
    do(message.body, *more)
    messages.done(message)


def sweep_abdm() -> int:
    """Go on where a crash, a slow gateway or an order of its own left something."""
    return sweep(work_on, messages.due()) if gateway.is_on() else 0


def forget_abdm() -> None:
    """What time takes away, whether or not there is a gateway now."""
    asking.forget_expired()
    sharing.forget_unclaimed()
