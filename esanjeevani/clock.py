"""Whether this process's clock goes as the database's does.

All processes write times beside each other: who was called when, until when somebody is present, when
an SMS may be sent again. One whose clock is wrong would take places away, send twice and print wrong
times on prescriptions. So it does nothing until its clock is right again (docs/decisions/0015).
"""

import logging
import time
from datetime import datetime
from typing import cast

from django.db import Error, connection

MAY_DIFFER = 10.0  # seconds; the shortest lease that one process takes and another ends has 60
LOOKS_EVERY = 60.0  # seconds
LOOKS_AGAIN = 5.0  # seconds, when the last look was too slow to tell
JUMPS = 2.0  # seconds by which a clock that was set differs from one that went on

log = logging.getLogger(__name__)


class Clock:
    """This process's clock, and whether it was right when it was last held against the database's."""

    def __init__(self) -> None:
        self._is_right: bool | None = None  # not known yet
        self._look_at = 0.0  # when next, by the clock that nobody sets
        self._gap = 0.0  # between the two clocks, when it was looked at last

    def is_right(self) -> bool:
        """Asks the database once a minute, and whenever the clock was set. Not known is not right.

        While the database does not answer, what was known before holds.
        """
        now = time.monotonic()
        if abs((time.time() - now) - self._gap) > JUMPS:
            self._is_right = None  # it was set: no thread may go on with what was known
        if self._is_right is None or now >= self._look_at:
            self._look()
        return bool(self._is_right)

    def _look(self) -> None:
        begun, self._gap = time.monotonic(), time.time() - time.monotonic()
        self._look_at = begun + LOOKS_AGAIN
        try:
            there = _time_of_database()
        except Error as error:
            log.warning("Not known whether this clock is right: %s", error)
            return
        slack = (time.monotonic() - begun) / 2  # the answer is of some moment in between
        ahead = 0.0 if there is None else self._gap + begun + slack - there
        if abs(ahead) + slack <= MAY_DIFFER:
            self._is_right, self._look_at = True, begun + LOOKS_EVERY
        elif abs(ahead) - slack > MAY_DIFFER:
            self._is_right, self._look_at = False, begun + LOOKS_EVERY
            log.error(
                "This clock is %.0f s ahead of the database's: nothing is done here until it is right.",
                ahead,
            )


def _time_of_database() -> float | None:
    """Seconds since 1970; None where the database has the same clock."""
    if connection.vendor != "postgresql":
        return None
    connection.ensure_connection()
    # Not by Django's cursor: what a page asks is counted, and this is nothing of the page's.
    row = connection.connection.execute("SELECT clock_timestamp()").fetchone()
    return cast(datetime, row[0]).timestamp()


clock = Clock()
