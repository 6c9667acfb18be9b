"""What each open page should know, held every few seconds against what it was told.

A message may get lost: Redis was away, or the process that had written a change died before it could
say so. Nothing may depend on it. So each process asks the database in one query about all the
consultations on its pages, and says "now", with the state as it is, where a page was told something
else. One query for a process, none for a page.
"""

import asyncio
import contextlib
import logging
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.db import Error
from django.db.models import Aggregate, BigAutoField, Count, Exists, Max, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce

from consult.models import (
    ChatMessage,
    Consultation,
    EmergencyReferral,
    Instruction,
    Opinion,
    Prescription,
)
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Mailbox, Message
from esanjeevani.sql.any_of import ALL_SIZES, AnyOf

EVERY = 5.0  # seconds between two looks: a page is right within 15 s, whatever was lost

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tip:
    """How far one consultation is, as its pages show it. None: not known what the page fetched."""

    state: str
    token: str | None
    issued: str  # the prescription's number, with "…" while its PDF is being made
    message: int  # the newest one's id
    phone: bool  # of a patient at a health centre: whether it may join the call
    parts: str | None  # changes with whatever else a room shows: questions, orders, an emergency

    def as_message(self, kind: str) -> Message:
        """ "hello" when the page comes, "now" when it was told something else before."""
        return {
            "type": kind,
            "state": self.state,
            "token": self.token,
            "issued": self.issued,
            "phone": self.phone,
            "parts": self.parts,
            "message": self.message,
        }

    def after(self, message: Message) -> "Tip":
        """What a page knows once it was told this."""
        kind = message["type"]
        if kind == "token":
            return replace(self, token=message["state"])
        if kind == "state":
            return replace(self, state=message["state"])
        if kind == "message":
            return replace(self, message=max(self.message, message["id"]))
        if kind == "phone":
            return replace(self, phone=message["phone"])
        if kind in {"prescription", "instruction", "opinion", "emergency"}:
            return replace(self, parts=None)  # it fetches, and is asked again what it has
        return self


def tip_of(
    state: str,
    token: str | None,
    number: str | None,
    pdf: str,
    message: int,
    let_in: Any,
    *parts: int,
) -> Tip:
    """From what tip_columns() asks for."""
    issued = f"{number}{'' if pdf else '…'}" if number else ""
    moves = ".".join(str(int(n)) for n in parts)
    return Tip(state, token, issued, message, let_in is not None, moves)


def instructions_version(instructions: Collection[Instruction]) -> str:
    """As a tip's `parts` say it, for the page to compare with what it shows."""
    return f"{len(instructions)}.{sum(one.done_at is not None for one in instructions)}"


def opinions_version(opinions: Collection[Opinion]) -> str:
    joined = sum(one.joined_at is not None for one in opinions)
    ended = sum(one.ended_at is not None for one in opinions)
    return f"{len(opinions)}.{joined}.{ended}"


def tip_columns() -> list[Any]:
    """Of a query of consultations."""
    in_force = Prescription.objects.filter(
        consultation=OuterRef("pk"), state=Prescription.State.ISSUED
    )
    return [
        "state",
        "token__state",
        Subquery(in_force.values("number")[:1]),
        Subquery(in_force.values("pdf")[:1]),
        _one(ChatMessage, Max("pk")),
        "let_in_at",
        Exists(EmergencyReferral.objects.filter(consultation=OuterRef("pk"))),
        _one(Instruction, Count("pk")),
        _one(Instruction, Count("done_at")),
        _one(Opinion, Count("pk")),
        _one(Opinion, Count("joined_at")),
        _one(Opinion, Count("ended_at")),
    ]


TIPS: AnyOf[Consultation] = AnyOf(
    lambda ones: (
        Consultation.objects.filter(pk__in=ones).order_by().values_list("pk", *tip_columns())
    ),
    BigAutoField(),
    sizes=ALL_SIZES,
)


def read_tips(consultation_ids: Iterable[int]) -> dict[int, Tip]:
    """In one query for each thousand."""
    return {pk: tip_of(*row) for pk, *row in TIPS.columns(consultation_ids)}


def _one(model: type[Model], what: Aggregate) -> Coalesce:
    """A number about the rows that belong to the consultation; 0 where there is none."""
    own = model._default_manager.filter(consultation=OuterRef("pk")).order_by()
    return Coalesce(Subquery(own.values("consultation").annotate(n=what).values("n")), 0)


class Told(Protocol):
    """What one page was told last, to be compared with what is so."""

    def as_message(self, kind: str) -> Message:
        """To say it to the page."""


class Informed(Protocol):
    """An open page of something: of a consultation, of a health centre."""

    about: int  # the key of what it shows
    mailbox: Mailbox
    told: Any  # a Told, as `read` of its watch gives it


Read = Callable[[Iterable[int]], Mapping[int, Told]]


class Watch:
    """The open pages of one kind in one event loop; `read` says what is so, for all of them at once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._pages: set[Informed] = set()
        self._soon = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def add(self, page: Informed) -> None:
        self._pages.add(page)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def remove(self, page: Informed) -> None:
        self._pages.discard(page)

    def look_soon(self) -> None:
        """Something was missed. Told once for each page, answered once for all of them."""
        self._soon.set()

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), EVERY)
            self._soon.clear()
            try:
                await self._compare()
            except Error as error:
                log.warning("Not known whether the open pages are right: %s", error)
            except Exception:  # a fault of ours must not end the looking for all pages
                log.exception("Not known whether the open pages are right.")
            await asyncio.sleep(1)

    async def _compare(self) -> None:
        told = {page: page.told for page in self._pages}
        if not told:
            return
        tips = await in_database(self._read, [page.about for page in told])
        for page, before in told.items():
            tip = tips.get(page.about)
            # What a page was told meanwhile is newer than what we read.
            if tip and tip != before and page.told is before:
                page.told = tip
                page.mailbox.put(tip.as_message("now"))


_watches: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Read, Watch]]" = (
    weakref.WeakKeyDictionary()
)


def watch(read: Read = read_tips) -> Watch:
    """The watch of the running event loop over the pages that `read` knows: of consultations."""
    watches = _watches.setdefault(asyncio.get_running_loop(), {})
    if read not in watches:
        watches[read] = Watch(read)
    return watches[read]
