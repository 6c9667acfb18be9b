"""Many open sockets in one process, as lean as they can be: so that the server is measured.

Each notes when which place came, answers pings and comes back as static/js/live.js does: full jitter,
0 to 5 s first, 0 to 10 s from then on.
"""

import asyncio
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

FIRST_WAIT, LONGEST_WAIT = 5.0, 10.0  # seconds, as in static/js/live.js
AT_ONCE = 40  # connections that one process opens at the same time while the scene is set
AHEAD = re.compile(rb'"ahead": ?(\d+)')
TEXT, CLOSE, PING = 0x81, 0x88, 0x89


@dataclass(frozen=True)
class Target:
    """One socket to open; `first` is how many are ahead in its line before the first change."""

    line: int
    port: int
    path: str
    origin: str
    cookie: str
    first: int

    def request(self) -> bytes:
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {self.origin.partition('//')[2]}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {self.origin}\r\n"
            f"Cookie: {self.cookie}\r\n\r\n"
        ).encode()


@dataclass
class Seen:
    """What one process has seen since it was last asked."""

    frames: int = 0
    # By line and change: when each socket was told.
    arrivals: dict[tuple[int, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    closed: Counter[str] = field(default_factory=Counter)


class Socket(asyncio.Protocol):
    """One open page."""

    def __init__(self, target: Target, room: "Room") -> None:
        self.target = target
        self.room = room
        self.rest = b""
        self.ahead = -1
        self.shaken = False
        self.over: asyncio.Future[None] = room.loop.create_future()
        self.placed: asyncio.Future[None] = room.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        transport.write(self.target.request())  # type: ignore[attr-defined]

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.over, self.placed):
            if not future.done():
                future.set_result(None)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        if not self.shaken:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.room.seen.closed[head[:12].decode()] += 1
                self.transport.abort()
                return
            self.shaken = True
        self.rest = self._frames(data)

    def _frames(self, data: bytes) -> bytes:
        """Takes in the whole frames; returns the begun one."""
        at = 0
        while len(data) - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
            if len(data) < start + length:
                break
            self._frame(data[at], data[start : start + length])
            at = start + length
        return data[at:]

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            found = AHEAD.search(payload)
            if found:
                self._place(int(found[1]))
        elif kind == PING:
            self.transport.write(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        elif kind == CLOSE:
            self.room.seen.closed[str(int.from_bytes(payload[:2]))] += 1
            self.transport.close()

    def _place(self, ahead: int) -> None:
        if ahead == self.ahead:
            return
        self.ahead = ahead
        seen = self.room.seen
        seen.frames += 1
        change = self.target.first - ahead
        seen.arrivals[self.target.line, change].append(time.monotonic())
        self.room.count(change)
        if not self.placed.done():
            self.placed.set_result(None)


class Room:
    """All sockets of one process."""

    def __init__(self, targets: list[Target], newest: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.targets = targets
        self.newest = newest  # shared: the newest change that everybody here has been told
        self.seen = Seen()
        self.open: dict[int, Socket] = {}
        self.keeping: list[asyncio.Task[None]] = []
        self._told: Counter[int] = Counter()

    def count(self, change: int) -> None:
        self._told[change] += 1
        if self._told[change] == len(self.targets) and change > self.newest.value:
            self.newest.value = change

    async def _connect(self, number: int) -> Socket:
        target = self.targets[number]
        _transport, socket = await self.loop.create_connection(
            lambda: Socket(target, self), "127.0.0.1", target.port
        )
        self.open[number] = socket
        await socket.placed
        return socket

    async def enter(self) -> float:
        """Everybody comes, some at a time. Returns the seconds it took."""
        begun, turns = time.monotonic(), asyncio.Semaphore(AT_ONCE)

        async def come(number: int) -> None:
            async with turns:
                for _try in range(3):
                    if (await self._connect(number)).ahead >= 0:
                        return
                raise ConnectionError(f"Nobody gets in: {dict(self.seen.closed)}")

        await asyncio.gather(*(come(number) for number in range(len(self.targets))))
        return time.monotonic() - begun

    def keep_open(self) -> None:
        """From now on whoever is cut off comes back."""
        self.keeping = [
            asyncio.create_task(self._keep(number)) for number in range(len(self.targets))
        ]

    async def _keep(self, number: int) -> None:
        await self.open[number].over
        tries = 0
        while True:
            await asyncio.sleep(random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**tries)))
            try:
                socket = await self._connect(number)
            except OSError:
                tries += 1
                self.seen.closed["refused"] += 1
                continue
            if socket.ahead < 0:
                tries += 1
                continue
            tries = 0
            await socket.over

    def cut(self) -> None:
        """Every connection is gone, without a goodbye."""
        for socket in self.open.values():
            socket.transport.abort()
            socket.connection_lost(None)

    def since_asked(self) -> tuple[int, dict[tuple[int, int], list[float]], dict[str, int]]:
        seen, self.seen = self.seen, Seen()
        return seen.frames, dict(seen.arrivals), dict(seen.closed)

    def places(self) -> list[int]:
        """What each page shows now; -1 for one that is not open."""
        return [
            socket.ahead if not socket.over.done() else -1
            for socket in (self.open[number] for number in range(len(self.targets)))
        ]
