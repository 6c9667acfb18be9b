"""Work at the same moment in several threads, each with a database connection of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connection, connections

STARTS_WITHIN = 120  # seconds; spent only where a thread has failed
P = ParamSpec("P")
Result = TypeVar("Result")


def at_once(times: int, work: Callable[[int], Result]) -> list[Result]:
    """What `work(0)`, `work(1)` … returned; all of them start together."""
    start = threading.Barrier(times)

    def begin(number: int) -> Result:
        connection.ensure_connection()
        start.wait(STARTS_WITHIN)
        return work(number)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(_alone(begin), range(times)))


def behind(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> "Future[Result]":
    """Begun in a thread; returns once it waits for what this transaction has locked, or is over.

    On PostgreSQL only.
    """
    begun = threads.submit(_alone(work))
    while not (begun.done() or _somebody_waits()):
        time.sleep(0.01)
    return begun


def _alone(work: Callable[P, Result]) -> Callable[P, Result]:
    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return run


def _somebody_waits() -> bool:
    """For what this connection has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchall())
