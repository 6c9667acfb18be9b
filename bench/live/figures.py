"""The measurements themselves, each against the bare server or against its target."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles

import redis
from django.db import connection

from bench.live.bare import CHANNEL, FIRST, text
from bench.live.servers import Server
from bench.live.watchers import Target, Watchers
from esanjeevani.live import hub

UNDER_WAY = 2  # changes that may be on their way at once


@dataclass(frozen=True)
class Pace:
    """Deliveries at the highest pace."""

    per_second: float
    cpu: float  # microseconds of the serving process per delivery


def highest_pace(
    change: Callable[[], None],
    watchers: Watchers,
    server: Server,
    *,
    seconds: float,
    at_most: int,
) -> Pace:
    """One change after the other, each made when everybody was told of the last but one.

    Ends after so many seconds, or changes.
    """
    told = watchers.told()
    watchers.seen()
    begun, used, made = time.monotonic(), server.seconds(), 0
    while time.monotonic() - begun < seconds and made < at_most:
        change()
        made += 1
        watchers.wait_for(told + made - UNDER_WAY + 1)
    watchers.wait_for(told + made)
    took, used = time.monotonic() - begun, server.seconds() - used
    frames = watchers.seen().frames
    return Pace(frames / took, used / frames * 1e6)


@dataclass(frozen=True)
class Delay:
    """Milliseconds from the commit to the page."""

    median: float
    p99: float
    longest: float


def delay(
    change: Callable[[int], None],
    committed: dict[tuple[int, int], float],
    watchers: Watchers,
    lines: int,
    changes: int,
    every: float,
) -> Delay:
    """So many changes of each line, one every so many seconds, the lines evenly staggered."""
    told = watchers.told()
    watchers.seen()
    committed.clear()
    next_at = time.monotonic()
    for _ in range(changes):
        for line in range(lines):
            time.sleep(max(0.0, next_at - time.monotonic()))
            next_at += every / lines
            change(line)
    watchers.wait_for(told + changes)
    arrivals = watchers.seen().arrivals
    late = [
        (arrival - committed[key]) * 1000
        for key, times in arrivals.items()
        if key in committed
        for arrival in times
    ]
    return Delay(median(late), quantiles(late, n=100)[98], max(late))


class Bare:
    """Changes for the bare server: one number less each time."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.number = 0
        self.committed: dict[tuple[int, int], float] = {}

    def change(self, _line: int = 0) -> None:
        self.number += 1
        self.committed[0, self.number] = time.monotonic()
        self.client.publish(CHANNEL, text(FIRST - self.number))


@contextmanager
def stalled(targets: list[Target]) -> Iterator[None]:
    """Pages that are opened and then read nothing."""
    sockets = []
    for target in targets:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.connect(("127.0.0.1", target.port))
        one.sendall(target.request())
        sockets.append(one)
    time.sleep(1)
    try:
        yield
    finally:
        for one in sockets:
            one.close()


def statements() -> int:
    """Transactions of this database so far: outside a transaction each statement is one."""
    time.sleep(1.2)  # PostgreSQL counts them once a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database "
            "WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def published(url: str) -> Iterator[Callable[[], int]]:
    """Gives how many of our messages went through Redis since it began. Tasks have their own channels."""
    with redis.Redis.from_url(url) as client, client.pubsub() as subscription:
        subscription.subscribe(hub.CHANNEL)
        subscription.get_message(timeout=5)  # that it is subscribed

        def count() -> int:
            return sum(1 for _ in iter(lambda: subscription.get_message(timeout=0.2), None))

        yield count


@dataclass(frozen=True)
class Return:
    """How everybody came back."""

    last: float  # seconds until the last one was back with the right place
    missing: int  # not back after `within`
    refused: int  # attempts that found nobody
    statements: float  # per socket


def coming_back(
    lose: Callable[[], None], right: list[list[int]], watchers: Watchers, within: float
) -> Return:
    """`right` are the places that everybody must be shown, as Watchers.ask("places") gives them."""
    watchers.seen()
    before = statements()
    begun = time.monotonic()
    lose()
    places = watchers.ask("places")
    while places != right and time.monotonic() - begun < within:
        time.sleep(0.1)
        places = watchers.ask("places")
    took = time.monotonic() - begun
    asked = (statements() - before) / sum(len(share) for share in right)
    missing = sum(
        shown != wanted
        for shares in zip(places, right, strict=True)
        for shown, wanted in zip(*shares, strict=True)
    )
    return Return(took, missing, watchers.seen().closed["refused"], asked)
