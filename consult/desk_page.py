"""The open desk of a doctor: what its socket tells it."""

import asyncio
import logging
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from django.conf import settings
from django.db import Error

from accounts.actions import record
from accounts.gates import doctor_of, has_second_factor
from accounts.models import Doctor
from accounts.session_store import WITH_DOCTOR
from consult.broadcast import asked_topic
from consult.consumers import LivePage
from consult.desk import OwnPart, duties_version
from esanjeevani.database import in_database
from esanjeevani.live import Message
from queues.broadcast import doctor_topic
from queues.desk import DUTIES_OF
from queues.desk_board import Desk, desk_boards
from queues.models import Duty, Token

LOOKS_EVERY = 10.0  # seconds: what was announced may not have come

log = logging.getLogger(__name__)


class Told(NamedTuple):
    """What a desk shows of its doctor, as two versions to compare, and whether they may call."""

    own: str
    duties: str
    may_call: bool

    @classmethod
    def of(cls, doctor: Doctor, duties: list[Duty]) -> "Told":
        own = OwnPart.of(doctor)
        may_call = own.held is None and not is_paused(duties)
        return cls(own.version, duties_version(duties), may_call)


class DeskPage(LivePage):
    """The doctor's desk: shown its lines as they move, and told when its own part is another."""

    session_with = WITH_DOCTOR
    doctor: Doctor
    duties: list[Duty]
    shown: list[int] = []  # clinics; another duty is another page
    desk: Desk | None = None
    told: Told
    looking: asyncio.Task[None] | None = None

    def allow(self) -> bool:
        if not has_second_factor(self.session):
            return False
        doctor = doctor_of(self.user)
        if doctor is None:
            return False
        self.doctor, self.duties = doctor, DUTIES_OF.all(doctor=doctor.pk)
        record("desk.read", "desk", by=self.user)  # now, and about each minute while it is open
        return True

    def read_first(self) -> None:
        self.told = Told.of(self.doctor, self.duties)

    def topics(self) -> list[str]:
        asked = [asked_topic(duty.clinic_id) for duty in self.duties]
        return [doctor_topic(self.doctor.pk), *asked]

    async def joined(self) -> None:
        await self.tell(self._as_message("hello"))
        self.desk = Desk(self.mailbox, _language(self.scope), self.told.may_call)
        self.shown = [duty.clinic_id for duty in self.duties]
        for clinic_id in self.shown:
            await desk_boards().show(clinic_id, self.desk)
        self.looking = asyncio.create_task(self._look())

    async def heard(self, message: Message) -> None:
        """After a gap the page fetches its own part; the lines come whole."""
        if self.desk and message["type"] == "resync":
            desk_boards().show_again(self.desk)
        elif (
            self.desk and message["type"] == "token"
        ):  # of the patient whom this doctor has, or had
            self.desk.may_call = message["state"] not in Token.HELD and not is_paused(self.duties)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            before = self.told
            try:
                self.told = await in_database(self._read)
            except Error as error:
                log.warning("Not known whether a desk is right: %s", error)
            if self.desk:
                self.desk.may_call = self.told.may_call
            if self.told != before:
                self.mailbox.put(self._as_message("now"))

    def _read(self) -> Told:
        return Told.of(self.doctor, DUTIES_OF.all(doctor=self.doctor.pk))

    def _as_message(self, kind: str) -> Message:
        return {"type": kind, "own": self.told.own, "duties": self.told.duties}

    async def left(self) -> None:
        if self.looking:
            self.looking.cancel()
        if self.desk:
            for clinic_id in self.shown:
                desk_boards().hide(clinic_id, self.desk)


def is_paused(duties: list[Duty]) -> bool:
    return any(duty.is_paused for duty in duties)


def _language(scope: Any) -> str:
    """The page's own, by its socket's address."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("language", [""])[0]
    return asked if asked in settings.LANGUAGE_NATIVE else settings.LANGUAGE_CODE
