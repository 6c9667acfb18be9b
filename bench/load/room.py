"""The talk, as each side's page does it: messages, the call's signalling, reports of what flowed."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from bench.load.browser import Browser
from bench.load.open_page import Refreshing, Socket, listening
from bench.load.page import Page, Refused
from bench.load.parameters import Parameters

MEDIA = {"sound": True, "video": True, "wants_video": True, "weak": False, "rtc": True}
DESCRIPTION = "v=0\r\n" + "a=rtpmap:96 VP8/90000\r\n" * 260  # as long as Chromium's offer
REPORT_EVERY, REPORTS_AT_FIRST, LATER_EVERY = 20.0, 2, 60.0  # seconds of the talk, as call.js
RETRY = 3.0  # seconds until a message that did not come back by the socket is fetched
CANDIDATES = 6
CANDIDATE = {
    "candidate": "candidate:1 1 udp 2122260223 192.168.0.7 50000 typ host generation 0 ufrag abcd",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "abcd",
}
SENTENCES = [
    "Since when exactly?", "Since the day before yesterday.", "Any trouble breathing?", "No.",
    "गले में दर्द है", "पानी खूब पीजिए", "Did you take anything?", "Paracetamol last night.",
]  # fmt: skip


class Room:
    """One page of the room, of one role."""

    def __init__(self, browser: Browser, uid: str, role: str, page: Page, plan: Parameters) -> None:
        self.browser, self.ledger, self.plan = browser, browser.ledger, plan
        self.uid, self.role, self.page = uid, role, page
        self.messages = page.find("data-chat").get("data-url")
        self.name = uuid4().hex[:12]  # of this page, in the call
        self.other: tuple[str, str] | None = None  # seat and page
        self.last, self.seen = 0, self.ledger.told[uid].talks.setdefault(role, [])
        # What this page wrote: did it come back?
        self.under_way: dict[str, asyncio.Future[bool]] = {}
        self.chat = Refreshing(self._catch_up, self.ledger)
        self.socket = Socket(
            browser, f"/ws/consultations/{uid}/?talk", self._hear, hurry=plan.compression
        )
        self.connected, self.issued, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.reports: asyncio.Task[None] | None = None
        self.flowed = 0.0  # seconds of life
        self.is_left = False

    @contextlib.asynccontextmanager
    async def open(self, *others: Socket) -> AsyncIterator["Room"]:
        async with listening(self.socket, *others):
            await self.socket.greeted.wait()
            try:
                yield self
                await self.report()
                await self.socket.say(say="bye")
            finally:
                self.is_left = True
                self.chat.stop()
                if self.reports:
                    self.reports.cancel()

    async def _hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "call":
            await self._hear_call(message)
        elif kind == "prescription":
            self.ledger.heard("prescription issued", f"issued {self.uid}")
            self.issued.set()
        elif kind in ("state", "hello") and message["state"] != "in_progress":
            self.ledger.heard("consultation finished", f"finished {self.uid}")
            self.over.set()
        elif kind == "message":
            self.ledger.heard("message", f"message {self.uid} to {self.role}")
            self._hear_words(message)
        elif kind == "unsent":
            self._know(message["client_id"], came_back=False)
        elif kind == "resync":
            self.chat.ask()
        elif kind in ("hello", "now"):
            self._fetch_up_to(message["message"])
            if message["issued"]:
                self.issued.set()
            if kind == "hello":
                await self.socket.say(say="join", page=self.name, media=MEDIA)

    def _hear_words(self, message: dict[str, Any]) -> None:
        """What follows the last one is shown, as static/js/chat.js does; what was missed is fetched."""
        if message.get("after", message["id"]) <= self.last:
            self._take(message)
        else:
            self._fetch_up_to(message["id"])

    def _fetch_up_to(self, newest: int) -> None:
        if newest > self.last and not self.is_left:
            self.chat.ask()

    def _take(self, message: dict[str, Any]) -> None:
        if message["id"] > self.last:
            self.last = message["id"]
            self.seen.append((message["id"], message["client_id"]))
            self._know(message["client_id"], came_back=True)

    def _know(self, client_id: str, *, came_back: bool) -> None:
        written = self.under_way.get(client_id)
        if written and not written.done():
            written.set_result(came_back)

    async def _hear_call(self, message: dict[str, Any]) -> None:
        event = message.get("event")
        if "page" in message and event in {"joined", "here", "offer", "answer"}:
            self.other = (message["seat"], message["page"])
        if event == "joined":
            await self._to_other(say="here", media=MEDIA)
        if event in {"joined", "here"} and self.role == "doctor":
            await self._to_other(say="offer", sdp=DESCRIPTION)
        elif event == "offer":
            await self._to_other(say="answer", sdp=DESCRIPTION)
            await self._candidates()
        elif event == "answer":
            await self._candidates()

    async def _candidates(self) -> None:
        for _ in range(CANDIDATES):
            await self._to_other(say="candidate", candidate=CANDIDATE)
        self.connected.set()
        if self.reports is None:
            self.reports = asyncio.create_task(self._report_now_and_then())

    async def _to_other(self, **message: Any) -> None:
        if self.other:
            seat, page = self.other
            await self.socket.say(**message | {"to": seat, "for": page})

    async def _report_now_and_then(self) -> None:
        """As static/js/call/call.js."""
        while not self.over.is_set():
            is_new = self.flowed < REPORT_EVERY * REPORTS_AT_FIRST
            pause = REPORT_EVERY if is_new else LATER_EVERY - self.flowed % LATER_EVERY
            await asyncio.sleep(self.plan.think(pause))
            self.flowed += pause
            await self.report()

    async def report(self) -> None:
        """What was received so far."""
        if self.other and self.flowed:
            seat, _page = self.other
            await self.socket.say(say="got", got={seat: [int(self.flowed), int(self.flowed)]})
            self.ledger.counts["reports of what flows"] += 1

    async def talk(self, seconds: float) -> None:
        """Write now and then; the rest is said."""
        for _ in range(self.plan.messages):
            await asyncio.sleep(seconds / self.plan.messages * random.uniform(0.5, 1.0))
            if self.over.is_set():
                return
            await self.write(random.choice(SENTENCES))

    async def write(self, text: str) -> None:
        """Up the socket; what does not come back by it in time is posted, as static/js/chat.js does."""
        client_id = str(uuid4())
        to = "health_worker" if self.role == "doctor" else "doctor"
        for role in {to, "patient"} - {self.role}:
            self.ledger.done(f"message {self.uid} to {role}")
        written = self.under_way[client_id] = asyncio.get_running_loop().create_future()
        await self.socket.say(say="write", client_id=client_id, text=text)
        came_back, _still_waiting = await asyncio.wait([written], timeout=RETRY)
        if not came_back or not written.result():
            await self._post(client_id, text)
            return
        self.ledger.told[self.uid].sent.append(client_id)
        self.ledger.counts["messages written by the socket"] += 1

    async def _post(self, client_id: str, text: str) -> None:
        try:
            taken = await self.browser.post(
                "message: post", self.messages, said={"client_id": client_id, "text": text},
                csrf=self.page.csrf,
            )  # fmt: skip
        except Refused:
            return
        self.ledger.told[self.uid].sent.append(client_id)
        asyncio.get_running_loop().call_later(RETRY, self._fetch_up_to, taken.json()["id"])

    async def _catch_up(self) -> None:
        page = await self.browser.ask(
            "message: fetch", "GET", f"{self.messages}?after={self.last}",
            headers={"Accept": "application/json"},
        )  # fmt: skip
        for message in page.json():
            self._take(message)
