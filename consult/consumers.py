"""Sockets: they authorise and announce what changed; only a call's signalling goes up them."""

import asyncio
import contextlib
import json
import logging
import random
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user
from django.db import Error
from django.http import HttpRequest

from accounts.actions import refuse
from accounts.address import current_address, note_address
from accounts.broadcast import account_topic
from accounts.gates import has_second_factor
from consult.broadcast import room_topic
from consult.entrance import Entrance
from consult.models import CallEvent, Consultation
from consult.signalling import LONGEST_SAID, Seat
from consult.talk import Reader, talks
from consult.tips import Tip, watch
from esanjeevani.clock import clock
from esanjeevani.live import PUSH, Mailbox, Message, hub
from queues import broadcast
from queues.board import boards

REFUSED = 4404
SIGNED_OUT = 4401
TOO_MUCH = 4408
TRY_AGAIN = 1013  # RFC 6455's registry: "try again later"
MAX_INCOMING = 20  # messages a page may send in its life: it has nothing to say but "ping"
RECHECK_EVERY = 60.0  # seconds at most between looks whether the session is still good
WAITING_LOOKS = 5  # one look in so many is at the session, for somebody who only waits

SHOWS_THE_TALK = b"talk"  # says the page in its socket's address
MOVES = {"state", "opinion", "now", "resync"}  # whoever was in the room may be out of it

log = logging.getLogger(__name__)


class LivePage(AsyncWebsocketConsumer):
    """One open page. Subclasses say who may open it and what it listens to."""

    longest_incoming = 1024  # characters
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

    async def connect(self) -> None:
        self.user = self.scope["user"]
        since = await hub().ready()
        if refused := await database_sync_to_async(self._refuses)():
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
        return None if self.user.is_authenticated and self.allow() else REFUSED

    def allow(self) -> bool:
        """In a thread with the database: may this user open it?"""
        raise NotImplementedError

    def topics(self) -> list[str]:
        raise NotImplementedError

    async def joined(self) -> None:
        """Registered for the topics, with what was said on them since before allow() read the state."""

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
                await self.send(json.dumps(told))

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
        if not await database_sync_to_async(clock.is_right)():
            await self.close(TRY_AGAIN)
            return
        self.looks += 1
        if self.looks % self.looks_at_session or await self._is_still_allowed():
            self._recheck_later()
            return
        await self._shut_out()

    async def _is_still_allowed(self) -> bool:
        """A database that does not answer now is asked again the next time."""
        try:
            return await database_sync_to_async(lambda: self._read_session() and self.allow())()
        except Error as error:
            log.warning("Not known whether a page may stay open: %s", error)
            return True

    def _read_session(self) -> bool:
        """Read anew: signing out, a new password or a deactivated account end it."""
        if asks := self.scope.get("is_still_signed_in"):  # a program's: accounts/api/sockets.py
            return bool(asks())
        request = HttpRequest()
        store = type(self.scope["session"]._wrapped)
        request.session = store(self.scope["session"].session_key)
        return bool(get_user(request).pk == self.user.pk)


class ConsultationPage(LivePage):
    """A consultation: its patient's waiting room and room, its doctor's room."""

    entrance: Entrance
    about: int  # the consultation's key
    told: Tip
    longest_incoming = LONGEST_SAID
    consultation: Consultation | None = None  # read when the call needs it
    place: tuple[int, int] | None = None  # clinic and token that wait on this page
    is_unsure = False  # whether it may still see the consultation: something moved since we looked

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seat = Seat(self.mailbox)

    def allow(self) -> bool:
        uid = self.scope["url_route"]["kwargs"]["consultation"]
        found = Entrance.of(uid, self.user)
        if found is None:
            hidden = Consultation.objects.filter(uid=uid).first()
            if hidden:
                refuse("consultation.socket", hidden, by=self.user)
            return False
        if found.account_id != self.user.pk and not has_second_factor(self.scope["session"]):
            return False
        self.entrance, self.about = found, found.pk
        return True

    def topics(self) -> list[str]:
        token_id = self.entrance.token_id
        return [
            room_topic(self.entrance.pk),
            *([broadcast.token_topic(token_id)] if token_id else []),
        ]

    async def joined(self) -> None:
        # Read now that nothing can be missed: the page compares it with what it shows.
        self.told = await watch().now(self.entrance.pk)
        await self.send(json.dumps(self.told.as_message("hello")))
        watch().add(self)
        now = self.entrance
        if now.place and now.at_home and now.account_id == self.user.pk:
            self.place = clinic_id, token_id = now.place
            self.looks_at_session = WAITING_LOOKS
            await boards().arrive(clinic_id, token_id)
            await boards().show(clinic_id, self.mailbox, token_id)

    def hears(self, message: dict[str, Any]) -> bool:
        return self.seat.hears(message)

    async def heard(self, message: Message) -> None:
        if message["type"] == "resync":
            watch().look_soon()  # it says so to each page; one look is for all of them
        else:
            self.told = self.told.after(message)
        self.is_unsure = self.is_unsure or message["type"] in MOVES

    async def worded(self, message: Message) -> Message | None:
        """A message of the talk with its words, where the page shows them; without, it fetches them."""
        if message["type"] != "message" or self.scope["query_string"] != SHOWS_THE_TALK:
            return message
        if self.is_unsure and not await self._is_still_allowed():
            return None
        self.is_unsure = False
        reader = Reader(self.user, current_address())
        said = await talks().read(self.entrance.pk, message["id"], reader)
        return message | (said or {})

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.tasks:
            return
        if self.consultation is None:
            whole = Consultation.objects.select_related("patient").get
            self.consultation = await database_sync_to_async(whole)(pk=self.entrance.pk)
        if not await self.seat.receive(text_data, self.consultation, self.user):
            await super().receive(text_data, bytes_data)

    async def left(self) -> None:
        watch().remove(self)
        if self.place:
            clinic_id, token_id = self.place
            boards().hide(clinic_id, self.mailbox, token_id)
            await boards().depart(token_id)
        await self.seat.leave(CallEvent.What.LEFT if self.shut_out else CallEvent.What.LOST)
