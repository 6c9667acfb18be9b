"""The open pages of a health centre: what their socket tells them."""

import logging

from django.db import Error

from accounts.gates import chosen_facility, facilities_of, has_second_factor
from accounts.session_store import WITH_POSTS, Ahead
from consult.broadcast import centre_topic
from consult.consumers import LivePage
from consult.live.centre_tips import CentreTip, news_of, read_centre, read_centres
from consult.live.tips import watch
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Message
from queues.board import boards

log = logging.getLogger(__name__)


class CentrePage(LivePage):
    """A health centre's page: told of all its cases, and of the place of each patient who waits.

    While it is open its waiting patients are present, in however many lines: they sit before it.
    """

    session_with = WITH_POSTS
    about: int  # the health centre's key
    told: CentreTip
    places: frozenset[tuple[int, int]] = frozenset()  # clinic and token

    def asks(self) -> Ahead | None:
        return None if self.is_open else Ahead(news_of, {}, of="centre")

    def allow(self) -> bool:
        if not has_second_factor(self.session):
            return False
        found = chosen_facility(facilities_of(self.user), self.session)
        if found is None:
            return False
        self.about = found.pk
        return True

    def read_first(self) -> None:
        self.told = self.found(self.about)

    def topics(self) -> list[str]:
        return [centre_topic(self.about)]

    async def joined(self) -> None:
        await self.tell(self.told.as_message("hello"))
        watch(read_centres).add(self)
        await self._follow_places()

    async def heard(self, message: Message) -> None:
        if message["type"] == "resync":
            watch(read_centres).look_soon()  # one look is for all pages
        elif message["type"] == "centre":
            try:
                self.told = await in_database(read_centre, self.about)
            except Error as error:  # the next look will tell
                log.warning("The cases of a health centre could not be read: %s", error)
        if message["type"] in ("centre", "now"):
            await self._follow_places()

    async def worded(self, message: Message) -> Message:
        """What changed goes with it: pages that do not show it need not ask."""
        return self.told.as_message("centre") if message["type"] == "centre" else message

    async def _follow_places(self) -> None:
        """Look at the lines in which a patient of this centre waits now, and at no others.

        Those who just came are present from now on; while they are shown the lease is renewed.
        """
        before, self.places = self.places, self.told.places
        for clinic_id, token_id in before - self.places:
            boards().hide(clinic_id, self.mailbox, token_id)
        for clinic_id, token_id in self.places - before:
            await boards().show(clinic_id, self.mailbox, token_id)
            try:
                await boards().arrive(clinic_id, token_id)
            except Error as error:
                log.warning("Somebody came and could not be written down as present: %s", error)

    async def left(self) -> None:
        watch(read_centres).remove(self)
        for clinic_id, token_id in self.places:
            boards().hide(clinic_id, self.mailbox, token_id)
        await boards().depart(*(token_id for _clinic_id, token_id in self.places))
