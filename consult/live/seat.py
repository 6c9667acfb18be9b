"""The seat of one page in the call: who it is, what it passes on, and what it says it got.

Each participant of a consultation has one seat, named by the role (people.py). A page names itself
with a random word, so that a page that comes back is told from a new one. The server writes the
sender's seat and page on each message; nobody can speak for another, and only the seat a message
is for hears it.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import Error

from accounts.models import User
from consult import actions
from consult.broadcast import call_topic, page_topic
from consult.ice import ice_configuration
from consult.models import CallEvent
from consult.models.mode import may_make_another
from consult.people import Role
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Mailbox, Message, hub, relay, relay_to_one
from queues.models import MoveRefused

log = logging.getLogger(__name__)


class Seat:
    """One socket's place in the call of its consultation: empty until its page joins."""

    by: User
    about: int  # the consultation's key

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox, self.hub = mailbox, hub()
        self.page = ""
        self.own_topic = ""  # of that page alone
        self.role: Role | None = None
        self.came: CallEvent | None = None  # the page's coming in; stays when another has the seat
        self.since: datetime | None = None  # when that page came in first
        self.newest: dict[str, int] = {}  # by role: the latest coming in that was heard of
        self.got: dict[str, tuple[int, int]] = {}  # by seat: seconds of video and sound, as said
        self.kept: dict[str, tuple[int, int]] = {}  # those of them that are written down

    async def receive(self, said: dict[str, Any], about: int, by: User) -> bool:
        """Do what a page says of the call of consultation `about`. False: it may not, or makes no sense."""
        self.about, self.by = about, by
        match said["say"]:
            case "ping":
                self.mailbox.put({"type": "call", "event": "pong"})
            case "join":
                return await self._join(said)
            case "got":
                return await self._report(said["got"])
            case _ if not self.page:  # of a page that was told to leave: may have been under way
                return self.role is not None
            case "servers":
                await self._name_servers()
            case "bye":
                await self.leave(CallEvent.What.LEFT)
            case _:
                self._pass_on(said)
        return True

    async def _join(self, said: dict[str, Any]) -> bool:
        try:
            event = await in_database(self._come_in, said["page"])
        except MoveRefused:
            return False
        self._get_up()
        role, pk = Role(event.role), self.about
        self.role, self.page, self.newest[role] = role, event.page, event.pk
        self.came, self.since, self.got, self.kept = event, None, {}, {}
        self.own_topic = page_topic(pk, role, event.page)
        await self.hub.join([call_topic(pk), self.own_topic], self.mailbox)
        # Who comes in from now on is heard of; who came since our row was written is looked for.
        newer = await in_database(actions.page_after, event)
        if newer is not None:
            self._lose_seat(to=newer)
            return True
        servers = ice_configuration(event.consultation, role)
        self.mailbox.put({"type": "call", "event": "in", "seat": role, "servers": servers})
        self._tell(call_topic(pk), "joined", media=said["media"], socket=event.pk)
        return True

    def _come_in(self, page: str) -> CallEvent:
        self._keep()  # of the page that had this socket before
        return actions.join_call(pk=self.about, by=self.by, page=page)

    async def _name_servers(self) -> None:
        """With fresh credentials, for whoever may still have this call."""
        try:
            now, role = await in_database(actions.seat_of, self.about, self.by)
        except MoveRefused:
            return
        servers = ice_configuration(now, role)
        self.mailbox.put({"type": "call", "event": "servers", "servers": servers})

    async def _report(self, got: dict[str, list[int]]) -> bool:
        """Totals, so the last ones are enough. Written down at once only where they may change how the
        consultation was conducted, which rules ask meanwhile; else when the page is off the call."""
        if self.came is None or self.role in got:
            return False
        for seat, (video, sound) in got.items():
            self.got[seat] = video, sound
        if not self.page or any(map(self._counts, self.got)):
            await in_database(self._keep)
        return True

    def _counts(self, seat: str) -> bool:
        return may_make_another(kept=self.kept.get(seat, (0, 0)), now=self.got[seat])

    def _keep(self) -> None:
        """What could not be kept now is tried again with the next report, or when the page goes."""
        grown = {seat: now for seat, now in self.got.items() if now != self.kept.get(seat)}
        if self.came is None or not grown:
            return
        try:
            self.since = self.since or actions.came_first(self.came)
            flows = [actions.Flow(seat, video, sound) for seat, (video, sound) in grown.items()]
            actions.report_flow(came=self.came, since=self.since, flows=flows)
            self.kept.update(grown)
        except Error as error:
            log.warning("What flowed in a call could not be kept: %s", error)

    def _pass_on(self, said: dict[str, Any]) -> None:
        if said["say"] == "media":
            self._tell(call_topic(self.about), "media", media=said["media"])
            return
        topic = page_topic(self.about, said.pop("to"), said["for"])
        relay_to_one(topic, self._stamped(said.pop("say"), **said))

    async def leave(self, what: CallEvent.What) -> None:
        """Off the call: said goodbye, or the socket ended. Safe to do twice."""
        page = self._get_up()
        if page and self.came:
            self._tell(call_topic(self.about), str(what), page=page, socket=self.came.pk)
        if page or self.got != self.kept:
            await in_database(self._write_down, what, page)

    def _write_down(self, what: CallEvent.What, page: str) -> None:
        self._keep()
        if page and self.came and not self._came_back(what):
            actions.note_event(
                consultation=self.came.consultation, by=self.by, role=self.came.role,
                what=what, page=page,
            )  # fmt: skip

    def _came_back(self, what: CallEvent.What) -> bool:
        """Of a socket that ended without a word: by another one, of which this process has not heard yet."""
        lost = what == CallEvent.What.LOST
        return bool(lost and self.came and actions.page_after(self.came) is not None)

    def _tell(self, topic: str, event: str, **parts: Any) -> None:
        relay(topic, self._stamped(event, **parts))

    def _stamped(self, event: str, **parts: Any) -> Message:
        """Who says it writes the server: nobody can speak for another."""
        return {"type": "call", "event": event, "seat": self.role, "page": self.page} | parts

    def hears(self, message: dict[str, Any]) -> bool:
        """Whether this socket's page is to be told: not its own words, nor another page's."""
        if message["type"] != "call" or "page" not in message:
            return True
        if not self.page:
            return False
        if "socket" in message and not self._is_news(message):
            return False
        if message["seat"] != self.role:
            return bool(message.get("for", self.page) == self.page)
        if message["event"] == "joined":
            self._lose_seat(to=message["page"])
        return False

    def _is_news(self, message: dict[str, Any]) -> bool:
        """Two processes may tell of two sockets of one person in the wrong order: the rows count.

        Who came is heard of once; who went, unless a newer socket has come since.
        """
        known = self.newest.get(message["seat"], 0)
        self.newest[message["seat"]] = max(known, message["socket"])
        return bool(message["socket"] >= known + (message["event"] == "joined"))

    def _lose_seat(self, to: str) -> None:
        """To the same page by a newer socket, or to a newer page of this person, which is said."""
        if to != self.page:
            self.mailbox.put({"type": "call", "event": "elsewhere"})
        self._get_up()

    def _get_up(self) -> str:
        """The seat is free, and what is for its page no longer for this socket. The page that had it."""
        page, self.page = self.page, ""
        if page:
            self.hub.leave(self.mailbox, self.own_topic)
        return page
