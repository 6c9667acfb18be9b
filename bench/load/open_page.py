"""What an open page does by itself: its sockets, and the parts that it fetches anew."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from bench.load.browser import Browser
from bench.load.ledger import Ledger
from bench.load.network import TIMEOUT
from bench.load.page import Refused

FINAL = {4401, 4404, 4408}
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds, as static/js/live.js tries again

Hear = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Socket:
    """One open page's socket: hears, says, and comes back as static/js/live.js does."""

    browser: Browser
    path: str
    hear: Hear
    lost: Callable[[], None] = lambda: None
    hurry: float = 1.0  # in compressed time one tries again that much sooner
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    wire: Any = None
    tries: int = 0

    async def run(self) -> None:
        while True:
            code = await self._while_open()
            if code in FINAL:
                self.refused(code)
                return
            self.browser.ledger.counts["socket lost"] += 1
            self.lost()
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self.tries) / self.hurry
            self.tries += 1
            await asyncio.sleep(random.random() * longest)

    async def _while_open(self) -> int:
        """Returns what it was closed with, 0 where nobody said."""
        asked = time.monotonic()
        try:
            async with self._opened() as self.wire:
                async for text in self.wire:
                    await self._heard(json.loads(text), asked)
                return self.wire.close_code or 0
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 0
        except (OSError, WebSocketException, TimeoutError) as error:
            self.browser.ledger.error("socket", f"{self.path} {type(error).__name__} {error}")
            return 0

    def _opened(self) -> Any:
        network = self.browser.network
        return connect(
            f"{network.sockets.replace('http', 'ws', 1)}{self.path}",
            origin=network.origin,
            additional_headers={
                "Cookie": self.browser.headers()["Cookie"],
                "X-Forwarded-For": self.browser.address,
            },
            proxy=None,
            open_timeout=TIMEOUT,
        )

    async def _heard(self, message: dict[str, Any], asked: float) -> None:
        ledger = self.browser.ledger
        ledger.counts["messages"] += 1
        if message["type"] == "hello":
            self.tries = 0
            if not self.greeted.is_set():
                ledger.steps["socket: hello"].append(time.monotonic() - asked)
            self.greeted.set()
        await self.hear(message)

    def refused(self, code: int) -> None:
        """It is not opened again."""
        self.browser.ledger.error(f"socket closed with {code}", self.path)

    async def say(self, **message: Any) -> None:
        """Lost when the socket is away, as everything that goes up it."""
        with contextlib.suppress(WebSocketException, OSError, AttributeError):
            await self.wire.send(json.dumps(message))
            self.browser.ledger.counts["messages up"] += 1


@contextlib.asynccontextmanager
async def listening(*sockets: Socket) -> AsyncIterator[None]:
    """The sockets of one open page; leaving the page closes them."""
    tasks = [asyncio.create_task(socket.run()) for socket in sockets]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Refreshing:
    """A part that a page fetches anew when it hears of a change: one at a time, and once more after."""

    def __init__(self, fetch: Callable[[], Awaitable[None]], ledger: Ledger) -> None:
        self.fetch, self.ledger = fetch, ledger
        self.task: asyncio.Task[None] | None = None
        self.again = False

    def ask(self) -> None:
        if self.task and not self.task.done():
            self.again = True
            return
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self.again = False
            try:
                await self.fetch()
            except Refused:
                await asyncio.sleep(3)
                self.again = True
            if not self.again:
                return

    def stop(self) -> None:
        if self.task:
            self.task.cancel()
