"""What pages of one call say to each other through their sockets: checked, limited, passed on.

Each participant of a consultation has one seat, named by the role (people.py). A page names itself
with a random word, so that a page that comes back is told from a new one. The server writes the
sender's seat and page on each message; nobody can speak for another, and only the seat a message
is for hears it. Two things a page says to the server alone: what it got so far, and that it needs the
servers' names anew.
"""

import json
import logging
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import Error

from accounts.models import User
from consult import actions
from consult.broadcast import call_topic, seat_topic
from consult.ice import ice_configuration
from consult.models import CallEvent, Consultation
from consult.people import Role
from esanjeevani.database import in_database
from esanjeevani.live import Mailbox, hub, relay
from queues.models import MoveRefused

MAX_SIGNAL = 16_384  # characters; Chromium's offer of sound and picture has about 6,000
LONGEST_SAID = MAX_SIGNAL * 2  # characters; what is longer is no slip
MAX_CANDIDATE = 1_024
BURST, PER_SECOND = 120, 20  # messages; an ICE restart with three others takes about 60
COST_OF_ASKING = 20  # what reads or writes the database
LONGEST_CALL = 86_400  # seconds
PAGE = re.compile(r"[A-Za-z0-9]{8,24}")

log = logging.getLogger(__name__)


class NotASignal(Exception):
    """What came up the socket is no message of a call."""


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest


def _is_page(value: Any) -> bool:
    return isinstance(value, str) and PAGE.fullmatch(value) is not None


def _is_candidate(value: Any) -> bool:
    """As RTCIceCandidate.toJSON() writes it; null or an empty text says that there are no more."""
    if value is None:
        return True
    if not isinstance(value, dict) or len(value) > 5:
        return False
    return all(
        isinstance(name, str)
        and (
            part is None
            or isinstance(part, int)
            or (isinstance(part, str) and len(part) <= MAX_CANDIDATE)
        )
        for name, part in value.items()
    )


def _is_media(value: Any) -> bool:
    """What this side sends and wants: a few words, each true or false."""
    return (
        isinstance(value, dict)
        and value.keys() == MEDIA
        and all(isinstance(part, bool) for part in value.values())
    )


def _is_got(value: Any) -> bool:
    """By seat: the whole seconds of video and of sound that came from there."""
    return (
        isinstance(value, dict)
        and 0 < len(value) <= len(Role)
        and all(seat in Role.values and _is_pair(pair) for seat, pair in value.items())
    )


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(part) is int and 0 <= part <= LONGEST_CALL for part in value)
    )


MEDIA = {"sound", "video", "wants_video", "weak", "rtc"}
SDP = {"sdp": lambda value: _is_text(value, MAX_SIGNAL)}
# What a page may say, and what each part of it must be. "to" and "for" are checked for all but join.
SAYS: dict[str, dict[str, Any]] = {
    "join": {"page": _is_page, "media": _is_media},
    "here": {"media": _is_media},
    "offer": SDP,
    "answer": SDP,
    "candidate": {"candidate": _is_candidate},
    "media": {"media": _is_media},
    "got": {"got": _is_got},
    "servers": {},
    "bye": {},
    "ping": {},
}
ASKING = {"join", "got", "servers"}
TO_ONE = {"here", "offer", "answer", "candidate"}


def read_signal(text: str | None) -> dict[str, Any]:
    """The checked message. Raises NotASignal; parts that nobody knows are not passed on."""
    if text is None or len(text) > LONGEST_SAID:
        raise NotASignal
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise NotASignal from None
    if not isinstance(said, dict) or not isinstance(said.get("say"), str):
        raise NotASignal
    parts = SAYS.get(said["say"])
    if parts is None:
        raise NotASignal
    if said["say"] in TO_ONE:
        parts = parts | {"to": lambda value: value in Role.values, "for": _is_page}
    if not all(name in said and is_good(said[name]) for name, is_good in parts.items()):
        raise NotASignal
    return {"say": said["say"]} | {name: said[name] for name in parts}


@dataclass
class Bucket:
    """How many messages one connection may still send: BURST, and PER_SECOND more with time."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def take(self, cost: int) -> bool:
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * PER_SECOND)
        self.at = now
        if self.left < cost:
            return False
        self.left -= cost
        return True


class Seat:
    """One socket's place in the call of its consultation: empty until its page joins."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.bucket = Bucket()
        self.page = ""
        self.role: Role | None = None
        self.came: CallEvent | None = None  # the page's coming in; stays when another has the seat
        self.since: datetime | None = None  # when that page came in first
        self.newest: dict[str, int] = {}  # by role: the latest coming in that was heard of

    async def receive(self, text: str | None, consultation: Consultation, by: User) -> bool:
        """Do what a page says. False: it was nonsense or too much, and was dropped."""
        try:
            said = read_signal(text)
        except NotASignal:
            return False
        if not self.bucket.take(COST_OF_ASKING if said["say"] in ASKING else 1):
            return False
        self.consultation, self.by = consultation, by
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
            event = await in_database(
                actions.join_call, consultation=self.consultation, by=self.by, page=said["page"]
            )
        except MoveRefused:
            return False
        role, pk = Role(event.role), self.consultation.pk
        self.role, self.page, self.newest[role] = role, event.page, event.pk
        self.came, self.since = event, None
        await hub().join([call_topic(pk), seat_topic(pk, role)], self.mailbox)
        # Who comes in from now on is heard of; who came since our row was written is looked for.
        newer = await in_database(actions.page_after, event)
        if newer is not None:
            self._lose_seat(to=newer)
            return True
        servers = ice_configuration(self.consultation, role)
        self.mailbox.put({"type": "call", "event": "in", "seat": role, "servers": servers})
        self._tell(call_topic(pk), "joined", media=said["media"], socket=event.pk)
        return True

    async def _name_servers(self) -> None:
        """With fresh credentials, for whoever may still have this call."""
        try:
            now, role = await in_database(actions.seat_of, self.consultation, self.by)
        except MoveRefused:
            return
        servers = ice_configuration(now, role)
        self.mailbox.put({"type": "call", "event": "servers", "servers": servers})

    async def _report(self, got: dict[str, list[int]]) -> bool:
        """Totals: what could not be kept now, the page says again with the next."""
        if self.came is None or self.role in got:
            return False
        flows = [actions.Flow(seat, video, sound) for seat, (video, sound) in got.items()]
        try:
            await in_database(self._keep, self.came, flows)
        except Error as error:
            log.warning("What flowed in a call could not be kept: %s", error)
        return True

    def _keep(self, came: CallEvent, flows: list[actions.Flow]) -> None:
        self.since = self.since or actions.came_first(came)
        actions.report_flow(came=came, since=self.since, flows=flows)

    def _pass_on(self, said: dict[str, Any]) -> None:
        pk = self.consultation.pk
        if said["say"] == "media":
            self._tell(call_topic(pk), "media", media=said["media"])
            return
        to = said.pop("to")
        self._tell(seat_topic(pk, to), said.pop("say"), **said)

    async def leave(self, what: CallEvent.What) -> None:
        """Off the call: said goodbye, or the socket ended. Safe to do twice."""
        if not self.page or self.role is None:
            return
        page, self.page = self.page, ""
        self._tell(call_topic(self.consultation.pk), str(what), page=page)
        await in_database(
            actions.note_event, consultation=self.consultation, by=self.by, role=self.role,
            what=what, page=page,
        )  # fmt: skip

    def _tell(self, topic: str, event: str, **parts: Any) -> None:
        stamp = {"type": "call", "event": event, "seat": self.role, "page": self.page}
        relay(topic, stamp | parts)

    def hears(self, message: dict[str, Any]) -> bool:
        """Whether this socket's page is to be told: not its own words, nor another page's."""
        if message["type"] != "call" or "page" not in message:
            return True
        if not self.page:
            return False
        if message["event"] == "joined" and not self._is_news(message):
            return False
        if message["seat"] != self.role:
            return bool(message.get("for", self.page) == self.page)
        if message["event"] == "joined":
            self._lose_seat(to=message["page"])
        return False

    def _is_news(self, message: dict[str, Any]) -> bool:
        """Two processes may tell of two pages of one person in the wrong order: the rows count."""
        known = self.newest.get(message["seat"], 0)
        self.newest[message["seat"]] = max(known, message["socket"])
        return bool(message["socket"] > known)

    def _lose_seat(self, to: str) -> None:
        """To the same page by a newer socket, or to a newer page of this person, which is said."""
        if to != self.page:
            self.mailbox.put({"type": "call", "event": "elsewhere"})
        self.page = ""
