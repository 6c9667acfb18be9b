"""What is said in the talk, read once for all the pages of a process that show it.

Redis says only that there is a message (docs/decisions/0003). Each process reads it in one statement,
when a page shows it, and writes down who was told. With each message goes the id of the one before: a
page that has that one has everything, any other fetches what it missed. So nothing is shown twice, in
the wrong order or with a gap, whatever was lost on the way (docs/decisions/0022).
"""

import asyncio
import logging
import weakref
from typing import Any, NamedTuple

from django.db import Error
from django.db.models import BigAutoField
from rest_framework.exceptions import ValidationError

from accounts.actions import event
from accounts.api.telling import shape_of, told
from accounts.models import AuditEvent, User
from consult import actions
from consult.models import ChatMessage, Consultation
from consult.serializers import MessageInput, MessageOutput
from esanjeevani.live.database import in_database
from esanjeevani.sql.composed import Composed
from esanjeevani.sql.rows import insert
from queues.models import MoveRefused

log = logging.getLogger(__name__)
SHOWN = [
    "client_id", "text", "created_at", "author__name", "consultation__uid",
    "consultation__patient__name", "attachment__uid", "attachment__name", "attachment__kind",
]  # fmt: skip
WRITTEN = ["client_id", "text"]
KNOWN = 100  # messages that this process wrote and has told nobody yet
_written: dict[int, ChatMessage] = {}
WITH_THE_ONE_BEFORE = Composed(
    lambda consultation, message: (
        ChatMessage.objects.filter(consultation=consultation, pk__lte=message)
        .select_related("author", "attachment", "consultation__patient")
        .only(*SHOWN)
        .order_by("-pk")[:2]
    ),
    consultation=BigAutoField(),
    message=BigAutoField(),
)


def write(said: dict[str, Any], *, consultation: Consultation, by: User) -> bool:
    """Put what a page wrote into the talk, as a request does; False where the request would say no."""
    try:
        typed = shape_of(MessageInput).run_validation({name: said[name] for name in WRITTEN})
        posted = actions.post_message(consultation=consultation, by=by, **typed)
    except (ValidationError, MoveRefused, Error) as error:
        log.info("A page's message was not taken: %s", error)
        return False
    if len(_written) >= KNOWN:
        _written.clear()
    _written[posted.pk] = posted
    return True


class Reader(NamedTuple):
    """Somebody before an open page."""

    user: User
    address: str | None


class Talks:
    """The messages that pages of one event loop are about to be told."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[set[Reader], asyncio.Task[Any]]] = {}

    async def read(
        self, consultation_id: int, message_id: int, reader: Reader
    ) -> dict[str, Any] | None:
        """The message as `reader` sees it, with `after`, the id of the one before; None: not now."""
        if message_id not in self._asked:
            readers: set[Reader] = set()
            reading = asyncio.create_task(self._read(consultation_id, message_id, readers))
            self._asked[message_id] = readers, reading
        readers, reading = self._asked[message_id]
        readers.add(reader)
        said = await asyncio.shield(reading)  # of the others too, when this page goes
        return said and said["words"] | {"mine": said["author"] == reader.user.pk}

    async def _read(
        self, consultation_id: int, message_id: int, readers: set[Reader]
    ) -> dict[str, Any] | None:
        """All pages that heard the same hint have asked before this begins; whoever comes later asks anew."""
        del self._asked[message_id]
        try:
            return await in_database(_say, consultation_id, message_id, readers)
        except Error as error:
            log.warning("A message of the talk could not be read: %s", error)
            return None


def _say(consultation_id: int, message_id: int, readers: set[Reader]) -> dict[str, Any] | None:
    """Whose reading it is to be written down is known beforehand of a message that came by this process:
    mostly one reader, who is noted with the reading."""
    written = _written.pop(message_id, None)
    noted = _readings(written, readers) if written else []
    keys = {"consultation": consultation_id, "message": message_id}
    found = WITH_THE_ONE_BEFORE.all(*noted[:1], **keys)
    if not found or found[0].pk != message_id:
        return None
    message = found[0]
    for reading in noted[1:] if written else _readings(message, readers):
        insert(reading)
    shape = shape_of(MessageOutput, user=message.author, patient=message.consultation.patient)
    words = told(shape, message) | {"after": found[1].pk if found[1:] else 0}
    return {"author": message.author_id, "words": words}


def _readings(message: ChatMessage, readers: set[Reader]) -> list[AuditEvent]:
    """That each of the others is told what its author said."""
    talk = message.consultation
    others = {one.user.pk: one for one in readers if one.user.pk != message.author_id}
    return [
        event("messages.read", talk, by=user, patient=talk.patient, address=address)
        for user, address in others.values()
    ]


_talks: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Talks]" = weakref.WeakKeyDictionary()


def talks() -> Talks:
    """Of the running event loop."""
    return _talks.setdefault(asyncio.get_running_loop(), Talks())
