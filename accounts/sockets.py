"""Who opened a socket, by the session whose cookie came with it: one statement.

Noted in the scope as `who`, a question for the thread with the database: it is asked when the socket
opens, with what else must be known then, and again at each look whether it may stay open.
"""

from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from accounts.models import AccountSession, User
from accounts.session_store import Ahead, SessionStore
from esanjeevani.sql.composed import Composed, together

COOKIE = b"cookie"


class Opened(NamedTuple):
    """By whom, and what their session says, which the gates ask."""

    user: User
    session: Any


class SessionSockets:
    """Before the sockets of pages: notes how to learn who opened one, and asks nothing itself."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        said = next((value for name, value in scope["headers"] if name == COOKIE), b"")
        key = parse_cookie(said.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
        await self.inner({**scope, "who": partial(who, key)}, receive, send)


def who(
    session_key: str | None, session_with: Composed[AccountSession], ahead: Ahead | None
) -> Opened | None:
    """Read anew: signing out, a new password or a deactivated account end it. `ahead` comes along."""
    if not session_key:
        return None
    request = HttpRequest()
    session = request.session = SessionStore(session_key)
    session.reads = session_with
    if ahead:
        session.ahead, session.of = (ahead,), ahead.of
    user = get_user(request)
    return Opened(user, session) if isinstance(user, User) else None


def found(session: Any, whose: int, ahead: Ahead) -> Any:
    """What belongs to whoever opened a socket: it came with their session, or is asked now."""
    if isinstance(session, SessionStore):
        return session.found_of(whose, ahead)
    return together(ahead(whose))[0]
