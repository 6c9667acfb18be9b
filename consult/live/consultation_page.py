"""The open pages of one consultation: what their socket tells them, and a call's signalling."""

import contextlib
from typing import Any, cast
from uuid import UUID

from django.db import Error

from accounts.actions import refuse
from accounts.address import current_address
from accounts.gates import has_second_factor
from accounts.session_store import Ahead
from consult.actions.calls import IN_CALL
from consult.broadcast import room_topic
from consult.consumers import WAITING_LOOKS, LivePage
from consult.live.entrance import Entrance, entering
from consult.live.seat import Seat
from consult.live.signalling import COSTS, LONGEST_SAID, Bucket, NotASignal, read_signal
from consult.live.talk import Reader, talks, write
from consult.live.tips import Tip, watch
from consult.models import CallEvent, Consultation
from consult.people import Role
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Message
from queues import broadcast
from queues.board import boards

SHOWS_THE_TALK = b"talk"  # says the page in its socket's address
MOVES = {"state", "opinion", "now", "resync"}  # whoever was in the room may be out of it


class ConsultationPage(LivePage):
    """A consultation: its patient's waiting room and room, its doctor's room."""

    entrance: Entrance
    about: int  # the consultation's key
    told: Tip
    longest_incoming = LONGEST_SAID
    consultation: Consultation | None = None  # read when its page writes
    place: tuple[int, int] | None = None  # clinic and token that wait on this page
    is_unsure = False  # whether it may still see the consultation: something moved since we looked

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seat = Seat(self.mailbox)
        self.bucket = Bucket()

    @property
    def uid(self) -> UUID:
        return cast(UUID, self.scope["url_route"]["kwargs"]["consultation"])

    def asks(self) -> Ahead:
        return entering(self.uid)

    def allow(self) -> bool:
        found = Entrance.of(self.found(self.user.pk))
        if found is None:
            hidden = Consultation.objects.filter(uid=self.uid).first()
            if hidden:
                refuse("consultation.socket", hidden, by=self.user)
            return False
        if found.account_id != self.user.pk and not has_second_factor(self.session):
            return False
        self.entrance, self.about = found, found.pk
        return True

    def topics(self) -> list[str]:
        token_id = self.entrance.token_id
        return [
            room_topic(self.entrance.pk),
            *([broadcast.token_topic(token_id)] if token_id else []),
        ]

    def read_first(self) -> None:
        self.told = self.entrance.tip

    async def joined(self) -> None:
        await self.tell(self.told.as_message("hello"))
        watch().add(self)
        now = self.entrance
        if now.place and now.at_home and now.account_id == self.user.pk:
            self.place = clinic_id, token_id = now.place
            self.looks_at_session = WAITING_LOOKS
            await boards().arrive(clinic_id, token_id)
            await boards().show(clinic_id, self.mailbox, token_id)

    def hears(self, message: dict[str, Any]) -> bool:
        return self.seat.hears(message)

    async def heard(self, message: Message) -> None:
        if message["type"] == "resync":
            watch().look_soon()  # it says so to each page; one look is for all of them
        else:
            self.told = self.told.after(message)
        self.is_unsure = self.is_unsure or message["type"] in MOVES
        await self._keep_phone_out()

    async def worded(self, message: Message) -> Message | None:
        """A message of the talk with its words, where the page shows them; without, it fetches them."""
        if message["type"] != "message" or self.scope["query_string"] != SHOWS_THE_TALK:
            return message
        if self.is_unsure and not await self._is_still_allowed():
            return None
        self.is_unsure = False
        reader = Reader(self.user, current_address())
        said = await talks().read(self.entrance.pk, message["id"], reader)
        return message | (said or {})

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.tasks:
            return
        if not await self._did(text_data):
            await super().receive(text_data, bytes_data)
        await self._keep_phone_out()  # taken back while it came in

    async def _did(self, text: str | None) -> bool:
        """Did what the page says. False: it was nonsense or too much, and was dropped."""
        try:
            said = read_signal(text)
        except NotASignal:
            return False
        is_taken = self.bucket.take(COSTS.get(said["say"], 1))
        if said["say"] != "write":
            return is_taken and await self.seat.receive(said, self.about, self.user)
        if not is_taken or not await in_database(self._write, said):
            self.mailbox.put({"type": "unsent", "client_id": said["client_id"]})
        return is_taken

    def _write(self, said: dict[str, Any]) -> bool:
        """Whether a message is in the talk; if not, a request for the same says why."""
        if not self._is_still_theirs():
            return False
        self.consultation = self.consultation or IN_CALL.all(consultation=self.about)[0]
        return write(said, consultation=self.consultation, by=self.user)

    async def _keep_phone_out(self) -> None:
        """The phone of a patient at a health centre is in the call while the patient wants it there."""
        may_join = self.entrance.at_home or self.told.phone
        if self.seat.role == Role.PATIENT and not may_join:
            with contextlib.suppress(Error):  # written down or not: it is out
                await self.seat.leave(CallEvent.What.LEFT)

    async def left(self) -> None:
        watch().remove(self)
        if self.place:
            clinic_id, token_id = self.place
            boards().hide(clinic_id, self.mailbox, token_id)
            await boards().depart(token_id)
        await self.seat.leave(CallEvent.What.LEFT if self.shut_out else CallEvent.What.LOST)
