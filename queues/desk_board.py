"""Shows the open desks of this process their lines: one reading serves all doctors of a clinic.

As board.py does for those who wait. Each desk is sent the order, and only those rows that it does not
show yet: nothing in a line is about one doctor, so a row is rendered once for all desks.
"""

import asyncio
import logging
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import Error
from django.utils import translation

from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Mailbox, Message, hub
from queues.broadcast import line_topic
from queues.desk import DeskLine, DeskRow, desk_line
from queues.models import Clinic

AT_MOST_EVERY = 1.0  # seconds between two readings of one line
AT_LEAST_EVERY = 10.0  # seconds: leases end, and what was announced may not have come
PATIENCE = 8.0  # seconds after which at the next look everybody is asked: the first may not see it

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Desk:
    """One open desk, and what it was told last of each line."""

    mailbox: Mailbox
    language: str
    may_call: bool = True  # its doctor has no patient and no pause
    told: dict[int, "Shown"] = field(default_factory=dict)  # by clinic

    def forget(self) -> None:
        """What was sent may not have come."""
        self.told.clear()


@dataclass(frozen=True)
class Shown:
    """A line as one desk shows it."""

    line: DeskLine
    others_first: bool  # colleagues who are free for longer are asked to call


class DeskBoard:
    """One clinic's line, shown to this process's desks.

    So that not every free doctor calls the one patient who came, those are asked first who sit at
    their desk for longest: whoever comes back from a patient sits down last.
    """

    def __init__(self, clinic_id: int) -> None:
        self.clinic_id = clinic_id
        self.clinic: Clinic | None = None
        self.desks: dict[Desk, None] = {}  # in the order in which their doctors sat down
        self.since: dict[int, float] = {}  # when each who can come was seen first
        self.changed = Mailbox()
        self.task = asyncio.create_task(self._run())

    async def show(self, desk: Desk) -> None:
        """Show the line to one more desk."""
        self.desks[desk] = None
        await hub().join([line_topic(self.clinic_id)], self.changed)
        self.look()

    def look(self) -> None:
        self.changed.put_latest({"type": "line"})

    def hide(self, desk: Desk) -> None:
        self.desks.pop(desk, None)
        if not self.desks:
            hub().leave(self.changed)
            self.task.cancel()

    async def _run(self) -> None:
        while True:
            await self.changed.next_batch(AT_LEAST_EVERY)
            desks = [(desk, desk.told.get(self.clinic_id)) for desk in self.desks]
            try:
                shown = await in_database(self._read, desks)
            except Error as error:
                log.warning("The line %s could not be read: %s", self.clinic_id, error)
                self.look()
            else:
                self._tell(shown)
            await asyncio.sleep(AT_MOST_EVERY)

    def _read(
        self, desks: Sequence[tuple[Desk, Shown | None]]
    ) -> dict[Desk, tuple[Shown, Message]]:
        """For each desk that shows another line what it is to show, and what it lacks of it."""
        self.clinic = self.clinic or Clinic.objects.get(pk=self.clinic_id)
        line = desk_line(self.clinic)
        later = self._asked_later(line, [desk for desk, _told in desks])
        shown = [(desk, told, Shown(line, desk in later)) for desk, told in desks]
        return {
            desk: (now, news(now, told, desk.language)) for desk, told, now in shown if told != now
        }

    def _asked_later(self, line: DeskLine, desks: list[Desk]) -> set[Desk]:
        """Whoever is free while enough others are for longer. Nobody once a patient waits in vain."""
        now = time.monotonic()
        coming = [row.token for row in line.rows if row.can_come]
        self.since = {token: self.since.get(token, now) for token in coming}
        if any(now - since >= PATIENCE for since in self.since.values()):
            return set()
        free = [desk for desk in desks if desk.may_call]
        return set(free[len(coming) :]) if coming else set()

    def _tell(self, shown: dict[Desk, tuple[Shown, Message]]) -> None:
        for desk, (now, message) in shown.items():
            if desk in self.desks:
                desk.told[self.clinic_id] = now
                desk.mailbox.put(message)


def news(shown: Shown, told: Shown | None, language: str) -> Message:
    """What makes a desk that shows `told` show this: the order, and the rows it does not have."""
    line = shown.line
    known: set[DeskRow] = set(told.line.rows) if told else set()
    with translation.override(language):
        return {
            "type": "line",
            "clinic": str(line.clinic.uid),
            "counts": line.counts,
            "present": line.present,
            "others_first": shown.others_first,
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
