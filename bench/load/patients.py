"""A patient at home: signs in by the code of the SMS, registers, books, waits, talks, reads, says thanks."""

import asyncio
from itertools import count

from bench.load.browser import Browser
from bench.load.gateway import Gateway
from bench.load.health_workers import read_pdf
from bench.load.network import Network
from bench.load.open_page import listening
from bench.load.parameters import Parameters
from bench.load.room import Room
from bench.load.waiting import WaitingRoom

READS = 20.0  # seconds for one page of the booking, in life
_phones = count(9_822_000_000)


class Patient:
    """One patient's browser, for one visit."""

    def __init__(self, network: Network, gateway: Gateway, clinic: str, plan: Parameters) -> None:
        self.browser, self.ledger, self.plan = Browser(network), network.ledger, plan
        self.gateway, self.clinic = gateway, clinic
        self.phone = f"+91{next(_phones)}"

    async def visit(self) -> None:
        await self._sign_in()
        uid = await self._book(await self._register())
        waiting = WaitingRoom(self.browser, uid, self.browser.page, self.plan)
        async with listening(waiting.socket):
            if not await waiting.called():
                return
        await self._talk(uid)
        await read_pdf(self.browser, uid)
        await self._thank(uid)

    async def _sign_in(self) -> None:
        page = await self.browser.get("patient: sign-in page", "/sign-in/?next=/book/")
        form = page.form("") | {"phone": self.phone}
        page = await self.browser.submit(
            "patient: send the code", form, page.path, "patient: code page"
        )
        code = await self.gateway.code_for(self.phone)
        path = "/sign-in/code/"
        form = page.form(path) | {"code": code}
        page = await self.browser.submit("patient: code", form, path, "patient: privacy page")
        form = page.form("")
        await self.browser.submit("patient: privacy notice", form, page.path, "patient: first page")

    async def _register(self) -> str:
        page = await self.browser.get("patient: register page", "/patients/new/")
        await self._think()
        form = page.form("") | {
            "name": "Asha Menon", "age": "34", "sex": "female", "address": "12 Canal Road",
            "state": "32", "district": "555", "language": "en",
        }  # fmt: skip
        page = await self.browser.submit(
            "patient: register", form, "/patients/new/", "patient: clinics"
        )
        return page.path

    async def _book(self, clinics: str) -> str:
        """From the clinics to the token; the consultation's id."""
        path = f"{clinics.partition('?')[0]}{self.clinic}/"
        page = await self.browser.get("patient: case page", path)
        await self._think()
        form = page.form("") | {
            "complaint": "Fever and sore throat", "since": "days", "allergies": "none",
        }  # fmt: skip
        page = await self.browser.submit("patient: case", form, path, "patient: files page")
        uid = page.path.strip("/").split("/")[1]
        path = f"/consultations/{uid}/confirm/"
        page = await self.browser.get("patient: confirm page", path)
        await self._think()
        form = page.form("") | {"consent": "on"}
        await self.browser.submit("patient: take the token", form, path, "patient: waiting room")
        self.ledger.counts["sent"] += 1
        return uid

    async def _talk(self, uid: str) -> None:
        page = await self.browser.get("patient: waiting room", f"/consultations/{uid}/")
        await asyncio.sleep(self.plan.think(READS) / 4)
        self.ledger.done(f"answered {uid}")
        form = page.form("/answer/")
        page = await self.browser.submit(
            "patient: go in", form, f"/consultations/{uid}/answer/", "patient: room"
        )
        room = Room(self.browser, uid, "patient", page, self.plan)
        async with room.open():
            talking = asyncio.create_task(room.talk(self.plan.talk * 0.8))
            await room.issued.wait()
            await self.browser.part("patient: room", f"/consultations/{uid}/")
            await room.over.wait()
            await asyncio.gather(talking, return_exceptions=True)

    async def _thank(self, uid: str) -> None:
        page = await self.browser.get("patient: result", f"/consultations/{uid}/")
        form = page.form("/feedback/") | {"stars": "5"}
        await self.browser.submit(
            "patient: feedback", form, f"/consultations/{uid}/feedback/", "patient: result"
        )

    async def _think(self) -> None:
        await asyncio.sleep(self.plan.think(READS))
