"""Processes that hold many open sockets, each its share, and how they are asked what they have seen."""

import asyncio
import multiprocessing
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from bench.live.lean_sockets import Room, Seen, Target

ANSWERS_WITHIN = 60  # seconds
COMES_WITHIN = 0.04  # seconds for each socket besides, on a machine that others use as well

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
