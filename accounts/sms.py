"""Ways to send an SMS. SMS_BACKEND names one; a backend has one method, send(message)."""

import json
import logging
import urllib.request
from http.client import HTTPException
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Message

log = logging.getLogger(__name__)
TIMEOUT = 10  # seconds


class SmsFailed(Exception):
    """The gateway did not take the message. Sent again later."""


class Backend(Protocol):
    def send(self, message: Message) -> None:
        """Raises SmsFailed."""


class ConsoleBackend:
    """Writes the message to the log, but not a secret one: that is read in the demonstration's page."""

    def send(self, message: Message) -> None:
        text = "(a code)" if message.is_secret else message.text
        log.info("SMS to %s: %s", message.to, text)


class MemoryBackend:
    """Keeps what was sent, for tests."""

    sent: list[tuple[str, str]] = []

    def send(self, message: Message) -> None:
        self.sent.append((message.to, message.text))


class HttpJsonBackend:
    """POSTs JSON to SMS_HTTP_URL, as MSG91 and like gateways want it.

    Such gateways answer 200 with {"type": "error"} when they refuse.
    """

    def send(self, message: Message) -> None:
        body = {
            "to": message.to,
            "text": message.text,
            "header": message.template.header,
            "template_id": message.template.dlt_id,
            "reference": str(message.pk),
        }
        try:
            request = urllib.request.Request(  # noqa: S310 - the address is the operator's setting
                settings.SMS_HTTP_URL,
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json", "authkey": settings.SMS_HTTP_KEY},
            )
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                said = json.load(answer)
        except (OSError, ValueError, HTTPException) as error:
            raise SmsFailed(str(error)) from error
        if not isinstance(said, dict) or said.get("type") == "error":
            raise SmsFailed(str(said))


def backend() -> Backend:
    made: Backend = import_string(settings.SMS_BACKEND)()
    return made
