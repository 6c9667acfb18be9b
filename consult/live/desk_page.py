"""The open desk of a doctor: what its socket tells it."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from accounts.actions import record
from accounts.gates import doctor_of, has_second_factor
from accounts.session_store import WITH_DOCTOR, Ahead
from consult.broadcast import asked_topic
from consult.consumers import LivePage
from consult.live.desk_tips import DESK, DeskTip, desk_tip, read_desks
from consult.live.tips import watch
from esanjeevani.live.hub import Message
from queues.broadcast import doctor_topic
from queues.desk_board import Desk, desk_boards
from queues.models import Token


class DeskPage(LivePage):
    """The doctor's desk: shown its lines as they move, and told when its own part is another."""

    session_with = WITH_DOCTOR
    about: int  # the doctor's key
    told: DeskTip
    shown: tuple[int, ...] = ()  # clinics; another duty is another page
    desk: Desk | None = None

    def asks(self) -> Ahead | None:
        return None if self.is_open else Ahead(DESK.asked, {}, of="doctor")

    def allow(self) -> bool:
        if not has_second_factor(self.session):
            return False
        doctor = doctor_of(self.user)
        if doctor is None:
            return False
        self.about = doctor.pk
        record("desk.read", "desk", by=self.user)  # now, and about each minute while it is open
        return True

    def read_first(self) -> None:
        self.told = desk_tip(self.about, self.found(self.about))
        self.shown = tuple(clinic_id for clinic_id, _rests in self.told.duties)

    def topics(self) -> list[str]:
        return [doctor_topic(self.about), *map(asked_topic, self.shown)]

    async def joined(self) -> None:
        await self.tell(self.told.as_message("hello"))
        self.desk = Desk(self.mailbox, _language(self.scope), self.told.may_call)
        watch(read_desks).add(self)
        for clinic_id in self.shown:
            await desk_boards().show(clinic_id, self.desk)

    async def heard(self, message: Message) -> None:
        """After a gap the page fetches its own part; the lines come whole."""
        if self.desk is None:
            return
        if message["type"] == "resync":
            watch(read_desks).look_soon()  # one look is for all desks
            desk_boards().show_again(self.desk)
        elif message["type"] == "token":  # of the patient whom this doctor has, or had
            self.told = replace(self.told, holds=message["state"] in Token.HELD)
        self.desk.may_call = self.told.may_call

    async def left(self) -> None:
        watch(read_desks).remove(self)
        if self.desk:
            for clinic_id in self.shown:
                desk_boards().hide(clinic_id, self.desk)


def _language(scope: Any) -> str:
    """The page's own, by its socket's address."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("language", [""])[0]
    return asked if asked in settings.LANGUAGE_NATIVE else settings.LANGUAGE_CODE
