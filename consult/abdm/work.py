"""What is done with each message: the table of callbacks, and the task behind it."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from consult.abdm import asking, gateway, holding, messages
from consult.abdm.crypto import NotReadable
from consult.models import AbdmMessage
from esanjeevani.celery_app import sweep

# By the address that the gateway calls, below /abdm/.
CALLBACKS: dict[str, Callable[..., None]] = {
    "hip/token/on-generate-token": holding.on_link_token,
    "link/on_carecontext": holding.on_linked,
    "hip/patient/care-context/discover": holding.on_discover,
    "consent/request/hip/notify": holding.on_consent,
    "hip/health-information/request": holding.on_request,
    "hiu/consent/request/on-init": asking.on_asked,
    "hiu/consent/request/notify": asking.on_decision,
    "hiu/consent/on-fetch": asking.on_artefact,
    "hiu/health-information/on-request": asking.on_records_asked,
    "data": asking.on_data,
}
ANSWERS = {holding.on_discover, holding.on_consent, holding.on_request}  # they name the request


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
        messages.failed(message, error)
        return False
    except (gateway.GatewayRefused, messages.Malformed, NotReadable) as error:
        messages.failed(message, error, for_good=True)
        return False
    except Exception as error:
        messages.failed(message, error)
        raise
    return True


@transaction.atomic
def _take_in(message: AbdmMessage) -> None:
    do = CALLBACKS[message.kind]
    more: list[Any] = [message.request_id] if do in ANSWERS else []
    do(message.body, *more)
    messages.done(message)


def sweep_abdm() -> int:
    """Go on where a crash, a slow gateway or an order of its own left something."""
    asking.forget_expired()
    return sweep(work_on, messages.due())
