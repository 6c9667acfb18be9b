"""Sockets of programs: signed in by the key that the API takes, in the same header.

No browser sends that header with a socket, so no page of another site can open one in somebody's
name: where the page came from is asked of sessions alone.
"""

from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY
from django_otp import DEVICE_ID_SESSION_KEY
from rest_framework.exceptions import AuthenticationFailed

from accounts.actions.keys import PERSON
from accounts.address import note_address
from accounts.api.who import accepted_notice, limit_of_address, person_of
from accounts.gates import PASSWORD_BACKEND
from accounts.sockets import Opened
from esanjeevani.live.database import in_database

BEARER = b"bearer "
SIGNED_OUT = 4401
# What a session says that was opened with password and authenticator app, as such a token was.
AS_STAFF = {BACKEND_SESSION_KEY: PASSWORD_BACKEND, DEVICE_ID_SESSION_KEY: "token"}


class BearerSockets:
    """Between the two: a socket with a key goes to `programs`, any other to `pages`."""

    def __init__(self, programs: Any, pages: Any) -> None:
        self.programs = programs
        self.pages = pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        said = dict(scope["headers"]).get(b"authorization", b"")
        if not said.lower().startswith(BEARER):
            await self.pages(scope, receive, send)
            return
        note_address(scope)
        key = said[len(BEARER) :].decode("latin-1").strip()
        if await in_database(_who, key) is None:
            await receive()
            await send({"type": "websocket.close", "code": SIGNED_OUT})  # a 403 to the handshake
            return
        await self.programs({**scope, "who": lambda *_with: _who(key)}, receive, send)


def _who(key: str) -> Opened | None:
    """The person of a token in force who may use the API: not a machine, nor before the notice."""
    try:
        user, token = person_of(key) if key.startswith(PERSON) else (None, None)
    except AuthenticationFailed:
        limit_of_address().hit()  # as a request with such a key
        return None
    if user is None or token is None or not accepted_notice(token):
        return None
    return Opened(user, AS_STAFF if token.has_second_factor else {})
