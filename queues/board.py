"""Tells the waiting pages of this process their place: one reading of the line serves them all.

A change of a line reaches each process as one message. At most once a second the process reads the
line, in a fixed number of queries, and gives each of its sockets its own place. A page never
depends on having seen an earlier message.
"""

import asyncio
import logging
import weakref
from collections.abc import Iterator

from channels.db import database_sync_to_async
from django.db import Error

from esanjeevani.live import Mailbox, Message, hub
from queues.broadcast import line_topic
from queues.line import Line, read_line
from queues.models import Clinic, Presence

AT_MOST_EVERY = 1.0  # seconds between two readings of one line
AT_LEAST_EVERY = 30.0  # seconds: the expected wait moves although nobody does
RENEW_EVERY = 20.0  # seconds; the lease is 60

log = logging.getLogger(__name__)


class Board:
    """One clinic's line, shown to this process's pages."""

    def __init__(self, clinic_id: int) -> None:
        self.clinic_id = clinic_id
        # Each page with the token that waits on it; None for a desk, several for a health centre.
        self.pages: set[tuple[Mailbox, int | None]] = set()
        self.changed = Mailbox()
        self.line: Line | None = None
        self.task = asyncio.create_task(self._run())

    async def show(self, page: Mailbox, token_id: int | None) -> None:
        """Show the line to one more page, starting with what is known."""
        self.pages.add((page, token_id))
        await hub().join([line_topic(self.clinic_id)], self.changed)
        if self.line:
            self._tell(page, token_id, self.line)
        self.changed.put_latest({"type": "line"})

    def hide(self, page: Mailbox, token_id: int | None) -> None:
        self.pages.discard((page, token_id))
        if not self.pages:
            hub().leave(self.changed)
            self.task.cancel()

    async def _run(self) -> None:
        while True:
            await self.changed.next_batch(AT_LEAST_EVERY)
            try:
                self.line = await database_sync_to_async(self._read)()
            except Error as error:
                log.warning("The line %s could not be read: %s", self.clinic_id, error)
                self.changed.put_latest({"type": "line"})
            else:
                for page, token_id in list(self.pages):
                    self._tell(page, token_id, self.line)
            await asyncio.sleep(AT_MOST_EVERY)

    def _read(self) -> Line:
        return read_line(Clinic.objects.get(pk=self.clinic_id))

    def _tell(self, page: Mailbox, token_id: int | None, line: Line) -> None:
        if token_id is None:
            page.put_latest({"type": "line"})
        elif (ahead := line.ahead_of(token_id)) is not None:
            page.put_latest({"token": token_id} | place_message(line, ahead))


def place_message(line: Line, ahead: int) -> Message:
    wait = line.wait(ahead)
    return {
        "type": "place",
        "ahead": ahead,
        "doctors": line.doctors,
        "low": wait.low if wait else None,
        "high": wait.high if wait else None,
    }


class Boards:
    """All boards of one event loop, and the leases of the people who look at them."""

    def __init__(self) -> None:
        self._boards: dict[int, Board] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def show(self, clinic_id: int, page: Mailbox, token_id: int | None = None) -> None:
        if clinic_id not in self._boards:
            self._boards[clinic_id] = Board(clinic_id)
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
        await self._boards[clinic_id].show(page, token_id)

    def hide(self, clinic_id: int, page: Mailbox, token_id: int | None = None) -> None:
        board = self._boards.get(clinic_id)
        if board is None:
            return
        board.hide(page, token_id)
        if not board.pages:
            del self._boards[clinic_id]

    def tokens(self) -> Iterator[int]:
        for board in self._boards.values():
            yield from (token_id for _page, token_id in board.pages if token_id is not None)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await database_sync_to_async(Presence.renew)(list(self.tokens()))
            except Error as error:
                log.warning("The leases of the waiting could not be renewed: %s", error)


_boards: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Boards]" = (
    weakref.WeakKeyDictionary()
)


def boards() -> Boards:
    """The boards of the running event loop."""
    return _boards.setdefault(asyncio.get_running_loop(), Boards())
