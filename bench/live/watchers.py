"""Processes that hold many open sockets, as lean as they can be: so that the server is measured.

Each process holds its share of the sockets and notes when which place came. A watcher answers pings
and comes back as static/js/live.js does: full jitter, 0 to 5 s first, 0 to 10 s from then on.
"""

import asyncio
import multiprocessing
import random
import re
import resource
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

FIRST_WAIT, LONGEST_WAIT = 5.0, 10.0  # seconds, as in static/js/live.js
ANSWERS_WITHIN = 60  # seconds
COMES_WITHIN = 0.04  # seconds for each socket besides, on a machine that others use as well
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


ANSWERS: dict[str, Callable[[Room], Any]] = {
    "keep open": Room.keep_open,
    "cut": Room.cut,
    "places": Room.places,
    "seen": Room.since_asked,
}


async def _serve(pipe: Connection, targets: list[Target], newest: Any) -> None:
    room = Room(targets, newest)
    asked: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        while True:
            try:
                what = pipe.recv()
            except EOFError:
                what = "end"
            room.loop.call_soon_threadsafe(asked.put_nowait, what)
            if what == "end":
                return

    threading.Thread(target=read, daemon=True).start()
    while (what := await asked.get()) != "end":
        pipe.send(await room.enter() if what == "enter" else ANSWERS[what](room))


def _process(pipe: Connection, targets: list[Target], newest: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(pipe, targets, newest))


def allow_files(needed: int) -> None:
    """As many open files as sockets are wanted. Raises ValueError where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(needed, hard)))


@dataclass
class Watchers:
    """The processes that watch, seen from outside."""

    pipes: list[Connection]
    newest: list[Any]
    pids: list[int]

    def ask(self, what: str, within: float = ANSWERS_WITHIN) -> list[Any]:
        for pipe in self.pipes:
            pipe.send(what)
        answers = []
        for pipe in self.pipes:
            if not pipe.poll(within):
                raise TimeoutError(f"A client process does not answer to {what!r}.")
            answers.append(pipe.recv())
        return answers

    def told(self) -> int:
        """The newest change that every socket has been told."""
        return min(newest.value for newest in self.newest)

    def wait_for(self, change: int, seconds: float = 30) -> None:
        """Raises TimeoutError."""
        until = time.monotonic() + seconds
        while self.told() < change:
            if time.monotonic() > until:
                raise TimeoutError(f"Change {change} did not reach everybody in {seconds} s.")
            time.sleep(0.0005)

    def seen(self) -> Seen:
        """All that came since the last time, of all processes."""
        whole = Seen()
        for frames, arrivals, closed in self.ask("seen"):
            whole.frames += frames
            for change, times in arrivals.items():
                whole.arrivals[change] += times
            whole.closed.update(closed)
        return whole


@contextmanager
def watching(targets: list[Target], processes: int) -> Iterator[Watchers]:
    """Everybody has come and has been told the place. Raises what the sockets raise."""
    spawn = multiprocessing.get_context("spawn")
    pipes, counters, started = [], [], []
    for share in range(processes):
        here, there = spawn.Pipe()
        newest = spawn.Value("q", -1, lock=False)
        process = spawn.Process(
            target=_process, args=(there, targets[share::processes], newest), daemon=True
        )
        process.start()
        there.close()
        pipes.append(here)
        counters.append(newest)
        started.append(process)
    watchers = Watchers(pipes, counters, [process.pid or 0 for process in started])
    try:
        watchers.ask("enter", ANSWERS_WITHIN + len(targets) * COMES_WITHIN)
        yield watchers
    finally:
        for pipe, process in zip(pipes, started, strict=True):
            with suppress(OSError):
                pipe.send("end")
            process.join(10)
            process.kill()
