"""The same work at the same moment in several threads, each with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections

Result = TypeVar("Result")


def at_once(times: int, work: Callable[[int], Result]) -> list[Result]:
    """What `work(0)`, `work(1)` … returned; all of them start together."""
    start = threading.Barrier(times)

    def run(number: int) -> Result:
        try:
            connection.ensure_connection()
            start.wait(30)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))
