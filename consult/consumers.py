"""Sockets: they authorise and announce what changed; only a room's call and talk go up them."""

import asyncio
import contextlib
import json
import logging
import random
from typing import Any, cast

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from accounts.address import note_address
from accounts.broadcast import account_topic
from accounts.models import User
from accounts.session_store import OPEN_SESSION, Ahead
from accounts.sockets import Opened, found
from esanjeevani.clock import clock
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import PUSH, Mailbox, Message, hub

REFUSED = 4404
SIGNED_OUT = 4401
TOO_MUCH = 4408
TRY_AGAIN = 1013  # RFC 6455's registry: "try again later"
MAX_INCOMING = 20  # messages a page may send in its life: it has nothing to say but "ping"
RECHECK_EVERY = 60.0  # seconds at most between looks whether the session is still good
WAITING_LOOKS = 5  # one look in so many is at the session, for somebody who only waits

log = logging.getLogger(__name__)


class LivePage(AsyncWebsocketConsumer):
    """One open page. Subclasses say who may open it and what it listens to."""

    user: User
    session: Any  # what it says of how they signed in
    ahead: Ahead | None = None
    longest_incoming = 1024  # characters
    session_with = OPEN_SESSION  # what allow() asks of its person
    looks_at_session = 1  # at every look, or at one of so many
    looks = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mailbox = Mailbox()
        self.tasks: list[asyncio.Task[None]] = []
        self.recheck: asyncio.TimerHandle | None = None
        self.incoming = 0
        self.shut_out = False

    async def __call__(self, scope: Any, *args: Any) -> None:
        """Whatever ends it, nothing of it stays behind; disconnect() is not always called."""
        self.mailbox.push = scope.get("extensions", {}).get(PUSH, {}).get("push")
        note_address(scope)
        try:
            await self._live(scope, *args)
        finally:
            hub().leave(self.mailbox)
            if self.recheck:
                self.recheck.cancel()
            for task in self.tasks:
                task.cancel()
            with contextlib.suppress(Error):
                await self.left()

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        """As Channels does it, without its trip to the database thread for each message.

        And without a task of its own for what comes: of a page that waits, it was a tenth.
        """
        self.scope, self.base_send = scope, send
        with contextlib.suppress(StopConsumer):
            while True:
                message = await receive()
                await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: Any) -> None:
        """__call__ does what is left to do; Channels would look after connections that are not its own."""
        raise StopConsumer

    async def connect(self) -> None:
        since = await hub().ready()
        if refused := await in_database(self._refuses):
            await self.accept()  # so that the page can read the code
            await self.close(refused)
            return
        await hub().join([account_topic(self.user.pk), *self.topics()], self.mailbox, since)
        await self.accept()
        await self.joined()
        self.tasks = [asyncio.create_task(self._send_all())]
        self._recheck_later()

    def _refuses(self) -> int | None:
        """The code to close with. All in one trip to the thread that has the database."""
        if not clock.is_right():
            return TRY_AGAIN  # the page comes back, to another process
        opened = self._opened()
        if opened is None:
            return REFUSED
        self.user, self.session = opened
        if not self.allow():
            return REFUSED
        self.read_first()
        return None

    @property
    def is_open(self) -> bool:
        """Let in; from now on only whether it may stay is looked at."""
        return bool(self.tasks)

    def _opened(self) -> Opened | None:
        self.ahead = self.asks()
        return cast(Opened | None, self.scope["who"](self.session_with, self.ahead))

    def asks(self) -> Ahead | None:
        """What it will ask by found(): mostly in one trip with the session."""
        raise NotImplementedError

    def found(self, whose: int) -> Any:
        assert self.ahead  # noqa: S101 - asks() said it
        return found(self.session, whose, self.ahead)

    def allow(self) -> bool:
        """In the thread with the database: may this user open it?"""
        raise NotImplementedError

    def read_first(self) -> None:
        """In the same trip: what the page is told first, to be compared with what it shows.

        Nothing can be missed: what is said from before this on is heard once the page is let in.
        """

    def topics(self) -> list[str]:
        raise NotImplementedError

    async def joined(self) -> None:
        """Registered for the topics, with what was said on them since before the state was read."""

    async def left(self) -> None:
        """The page is gone."""

    def hears(self, message: Message) -> bool:
        """Whether the page is told of it."""
        return True

    async def heard(self, message: Message) -> None:
        """A message is about to be sent on to the page."""

    async def worded(self, message: Message) -> Message | None:
        """As the page is told it; None when it may be told nothing any more."""
        return message

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A page says nothing up the socket; whoever floods it is cut off."""
        self.incoming += 1
        size = len(text_data or bytes_data or "")
        if self.incoming > MAX_INCOMING or size > self.longest_incoming:
            await self.close(TOO_MUCH)

    async def _send_all(self) -> None:
        async for message in self.mailbox.messages():
            if message["type"] == "signed_out":
                if not await self._is_still_allowed():
                    await self._shut_out()
                    return
            elif self.hears(message):
                await self.heard(message)
                told = await self.worded(message)
                if told is None:
                    await self._shut_out()
                    return
                await self.tell(told)

    async def tell(self, message: Message) -> None:
        """The short way, if the socket takes it at once (esanjeevani/live/sockets.py)."""
        text = json.dumps(message)
        if not (self.mailbox.push and self.mailbox.push(text.encode())):
            await self.send(text)

    async def _shut_out(self) -> None:
        self.shut_out = True
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            await self.close(SIGNED_OUT)

    def _recheck_later(self) -> None:
        """A timer, not a task that sleeps: it is much smaller."""
        after = RECHECK_EVERY * random.uniform(0.5, 1)  # noqa: S311 - not all at once
        self.recheck = asyncio.get_running_loop().call_later(after, self._start_recheck)

    def _start_recheck(self) -> None:
        self.tasks[1:] = [asyncio.create_task(self._recheck())]

    async def _recheck(self) -> None:
        """A lost right, or a clock that went wrong, closes the page in time even if nobody announced it."""
        self.looks += 1
        ends_with = await in_database(self._ends_with)
        if ends_with is None:
            self._recheck_later()
        elif ends_with == TRY_AGAIN:
            await self.close(TRY_AGAIN)
        else:
            await self._shut_out()

    def _ends_with(self) -> int | None:
        """The code to close with; None while it may stay open. As in _refuses(), in one trip."""
        if not clock.is_right():
            return TRY_AGAIN
        looks_now = self.looks % self.looks_at_session == 0
        return SIGNED_OUT if looks_now and not self._is_still_theirs() else None

    async def _is_still_allowed(self) -> bool:
        return await in_database(self._is_still_theirs)

    def _is_still_theirs(self) -> bool:
        """A database that does not answer now is asked again the next time."""
        try:
            opened = self._opened()
            if opened is None or opened.user.pk != self.user.pk:
                return False
            self.user, self.session = opened  # with the rights that they have now
            return self.allow()
        except Error as error:
            log.warning("Not known whether a page may stay open: %s", error)
            return True
