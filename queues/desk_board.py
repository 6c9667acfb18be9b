"""Shows the open desks of this process their lines: one reading serves all doctors of a clinic.

As board.py does for those who wait. Each desk is sent the order, and only those rows that it does not
show yet: nothing in a line is about one doctor, so a row is rendered once for all desks.
"""

import asyncio
import logging
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import Error
from django.utils import translation

from esanjeevani.database import in_database
from esanjeevani.live import Mailbox, Message, hub
from queues.broadcast import line_topic
from queues.desk import DeskLine, DeskRow, desk_line
from queues.models import Clinic

AT_MOST_EVERY = 1.0  # seconds between two readings of one line
AT_LEAST_EVERY = 10.0  # seconds: leases end, and what was announced may not have come

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Desk:
    """One open desk, and what it was told last of each line."""

    mailbox: Mailbox
    language: str
    told: dict[int, DeskLine] = field(default_factory=dict)  # by clinic

    def forget(self) -> None:
        """What was sent may not have come."""
        self.told.clear()


class DeskBoard:
    """One clinic's line, shown to this process's desks."""

    def __init__(self, clinic_id: int) -> None:
        self.clinic_id = clinic_id
        self.clinic: Clinic | None = None
        self.desks: set[Desk] = set()
        self.changed = Mailbox()
        self.task = asyncio.create_task(self._run())

    async def show(self, desk: Desk) -> None:
        """Show the line to one more desk."""
        self.desks.add(desk)
        await hub().join([line_topic(self.clinic_id)], self.changed)
        self.look()

    def look(self) -> None:
        self.changed.put_latest({"type": "line"})

    def hide(self, desk: Desk) -> None:
        self.desks.discard(desk)
        if not self.desks:
            hub().leave(self.changed)
            self.task.cancel()

    async def _run(self) -> None:
        while True:
            await self.changed.next_batch(AT_LEAST_EVERY)
            desks = [(desk, desk.told.get(self.clinic_id)) for desk in self.desks]
            try:
                line, messages = await in_database(self._read, desks)
            except Error as error:
                log.warning("The line %s could not be read: %s", self.clinic_id, error)
                self.look()
            else:
                self._tell(line, messages)
            await asyncio.sleep(AT_MOST_EVERY)

    def _read(
        self, desks: Iterable[tuple[Desk, DeskLine | None]]
    ) -> tuple[DeskLine, dict[Desk, Message]]:
        """The line, and for each desk that shows another one what it lacks."""
        self.clinic = self.clinic or Clinic.objects.get(pk=self.clinic_id)
        line = desk_line(self.clinic)
        behind = [(desk, told) for desk, told in desks if told != line]
        return line, {desk: news(line, told, desk.language) for desk, told in behind}

    def _tell(self, line: DeskLine, messages: dict[Desk, Message]) -> None:
        for desk, message in messages.items():
            if desk in self.desks:
                desk.told[self.clinic_id] = line
                desk.mailbox.put(message)


def news(line: DeskLine, told: DeskLine | None, language: str) -> Message:
    """What makes a desk that shows `told` show `line`: the order, and the rows it does not have."""
    known: set[DeskRow] = set(told.rows) if told else set()
    with translation.override(language):
        return {
            "type": "line",
            "clinic": str(line.clinic.uid),
            "counts": line.counts,
            "present": line.present,
            "order": [row.token for row in line.rows],
            "rows": "".join(row.html for row in line.rows if row not in known),
        }


class DeskBoards:
    """All of them of one event loop."""

    def __init__(self) -> None:
        self._boards: dict[int, DeskBoard] = {}

    async def show(self, clinic_id: int, desk: Desk) -> None:
        if clinic_id not in self._boards:
            self._boards[clinic_id] = DeskBoard(clinic_id)
        await self._boards[clinic_id].show(desk)

    def show_again(self, desk: Desk) -> None:
        """The whole of its lines, to a desk that may have missed something."""
        desk.forget()
        for board in self._boards.values():
            if desk in board.desks:
                board.look()

    def hide(self, clinic_id: int, desk: Desk) -> None:
        board = self._boards.get(clinic_id)
        if board is None:
            return
        board.hide(desk)
        if not board.desks:
            del self._boards[clinic_id]


_boards: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, DeskBoards]" = (
    weakref.WeakKeyDictionary()
)


def desk_boards() -> DeskBoards:
    """The boards of the running event loop."""
    return _boards.setdefault(asyncio.get_running_loop(), DeskBoards())
