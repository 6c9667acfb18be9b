"""Tells the waiting pages of this process their place: one reading of the line serves them all.

A change of a line reaches each process as one message. The process reads the line at once, in a
fixed number of queries, and gives each of its sockets its own place; then it leaves the line alone
for ten times as long as that took. So what happens seldom is told at once, and what happens all the
time takes a small part of the process. A page never depends on having seen an earlier message.
"""

import asyncio
import json
import logging
import time
import weakref
from collections.abc import Iterator

from django.db import Error
from django.db.models import BigAutoField

from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Mailbox, hub
from esanjeevani.sql.composed import Composed
from queues.broadcast import line_changed, line_topic
from queues.line import Line, read_line
from queues.models import Clinic, Presence
from queues.wait import Pace, expected_wait

RESTS = 10  # times as long as a line took to be read and told
SHORTEST_REST, LONGEST_REST = 0.1, 1.0  # seconds
AT_LEAST_EVERY = 10.0  # seconds: the expected wait moves, and what was announced may not have come
RENEW_EVERY = 20.0  # seconds; the lease is 60
CLINIC_KEPT = 30.0  # seconds: what an officer changes in a clinic shows soon, as its pace does

CLINIC = Composed(lambda clinic: Clinic.objects.filter(pk=clinic), clinic=BigAutoField())

log = logging.getLogger(__name__)


class Board:
    """One clinic's line, shown to this process's pages."""

    clinic: Clinic
    clinic_until = 0.0

    def __init__(self, clinic_id: int) -> None:
        self.clinic_id = clinic_id
        # Each page with the token that waits on it (several for a health centre), and what it was
        # told last.
        self.pages: dict[tuple[Mailbox, int], bytes] = {}
        self.words = Words(Line([], 0, 0, Pace(0.0)))
        self.changed = Mailbox()
        self.line: Line | None = None
        self.task = asyncio.create_task(self._run())

    async def show(self, page: Mailbox, token_id: int) -> None:
        """Show the line to one more page, starting with what is known.

        Read again only for somebody who is new in it: whatever else changed was announced.
        """
        self.pages[page, token_id] = b""
        await hub().join([line_topic(self.clinic_id)], self.changed)
        if self.line and (page, token_id) in self.pages:
            self._tell(page, token_id, self.line)
        if not self.line or self.line.ahead_of(token_id) is None:
            self.changed.put_latest({"type": "line"})

    def hide(self, page: Mailbox, token_id: int) -> None:
        self.pages.pop((page, token_id), None)
        if not self.pages:
            hub().leave(self.changed)
            self.task.cancel()

    async def _run(self) -> None:
        while True:
            was_announced = await self.changed.next_batch(AT_LEAST_EVERY)
            earlier, begun = self.line, time.monotonic()
            try:
                self.line = await in_database(self._read)
            except Error as error:
                log.warning("The line %s could not be read: %s", self.clinic_id, error)
                self.changed.put_latest({"type": "line"})
            else:
                if was_announced or self.line != earlier:
                    self._tell_all(self.line)
            took = time.monotonic() - begun
            await asyncio.sleep(min(LONGEST_REST, max(SHORTEST_REST, took * RESTS)))

    def _read(self) -> Line:
        if time.monotonic() >= self.clinic_until:
            self.clinic = CLINIC.all(clinic=self.clinic_id)[0]
            self.clinic_until = time.monotonic() + CLINIC_KEPT
        return read_line(self.clinic)

    def _tell_all(self, line: Line) -> None:
        """Without a pause: what is said in one go is all of the same reading."""
        if not self.words.are_of(line):
            self.words = Words(line)
        for page, token_id in self.pages:
            self._tell(page, token_id, line)

    def _tell(self, page: Mailbox, token_id: int, line: Line) -> None:
        """A place is told when it is another than before."""
        if (ahead := line.ahead_of(token_id)) is not None:
            words = self.words[ahead]
            if words == self.pages[page, token_id]:
                return
            self.pages[page, token_id] = words
            text = b'{"token": %d, %b' % (token_id, words)
            if not page.pass_through(text):
                page.put_latest(json.loads(text))


class Words(dict[int, bytes]):
    """What is said of a place, but for whose it is, by how many are ahead.

    As long as doctors and pace stay, the next reading says the same words to other people: of a
    thousand places that move up by one, none has to be reckoned anew.
    """

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.doctors, self.busy, self.pace = line.doctors, line.busy, line.pace

    def are_of(self, line: Line) -> bool:
        return (self.doctors, self.busy, self.pace) == (line.doctors, line.busy, line.pace)

    def __missing__(self, ahead: int) -> bytes:
        wait = expected_wait(ahead=ahead, doctors=self.doctors, busy=self.busy, pace=self.pace)
        place = {
            "type": "place",
            "ahead": ahead,
            "doctors": self.doctors,
            "low": wait and wait.low,
            "high": wait and wait.high,
        }
        words = self[ahead] = json.dumps(place)[1:].encode()
        return words


def _greet(arrived: set[tuple[int, int]]) -> None:
    """Lines hear of those who were absent; a page that was only loaded again changes nothing."""
    tokens = [token_id for _clinic_id, token_id in arrived]
    there = Presence.of(tokens)
    Presence.renew(tokens)
    for clinic_id in {clinic_id for clinic_id, token_id in arrived if token_id not in there}:
        line_changed(clinic_id)


class Boards:
    """All boards of one event loop, and the leases of the people who look at them."""

    def __init__(self) -> None:
        self._boards: dict[int, Board] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._arriving: set[tuple[int, int]] = set()  # clinic and token
        self._departed: set[int] = set()  # tokens
        self._writing = asyncio.Lock()

    async def arrive(self, clinic_id: int, token_id: int) -> None:
        """Returns once this one is present. All who come while one batch is written are the next."""
        self._arriving.add((clinic_id, token_id))
        self._departed.discard(token_id)
        async with self._writing:
            if (clinic_id, token_id) in self._arriving:
                arrived, self._arriving = self._arriving, set()
                await in_database(_greet, arrived)

    async def depart(self, *token_ids: int) -> None:
        """These pages are gone: their patients are soon absent, if no other page shows them."""
        self._departed.update(token_ids)
        async with self._writing:
            if not self._departed:
                return  # written with somebody else's
            gone, self._departed = self._departed.difference(self.tokens()), set()
            if gone:
                await in_database(Presence.end_soon, gone)

    async def show(self, clinic_id: int, page: Mailbox, token_id: int) -> None:
        if clinic_id not in self._boards:
            self._boards[clinic_id] = Board(clinic_id)
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
        await self._boards[clinic_id].show(page, token_id)

    def hide(self, clinic_id: int, page: Mailbox, token_id: int) -> None:
        board = self._boards.get(clinic_id)
        if board is None:
            return
        board.hide(page, token_id)
        if not board.pages:
            del self._boards[clinic_id]

    def tokens(self) -> Iterator[int]:
        for board in self._boards.values():
            yield from (token_id for _page, token_id in board.pages)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await in_database(Presence.renew, list(self.tokens()))
            except Error as error:
                log.warning("The leases of the waiting could not be renewed: %s", error)


_boards: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Boards]" = (
    weakref.WeakKeyDictionary()
)


def boards() -> Boards:
    """The boards of the running event loop."""
    return _boards.setdefault(asyncio.get_running_loop(), Boards())
