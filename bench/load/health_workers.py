"""A health worker's patients: find or register, write the case, send it, sit in the call, print, give out."""

import asyncio
import random
from itertools import count
from typing import Any

from bench.load.browser import Browser
from bench.load.doctors import Account, staff_sign_in
from bench.load.network import Network
from bench.load.open_page import Refreshing, Socket, listening
from bench.load.page import Page, Refused
from bench.load.parameters import PER_HEALTH_WORKER, Parameters
from bench.load.room import Room
from bench.load.waiting import WaitingRoom

TYPES = 12.0  # seconds between two pauses in which the case saves itself, in life
BRINGS = 15.0  # seconds until the patient sits before the screen
PDF_WITHIN = 60.0  # seconds of the run
_phones = count(9_811_000_000)
CASE = {
    "complaint": "Fever and cough for three days", "since": "days", "allergies": "none",
    "examination": "Throat red, lungs clear", "vital_temperature": "38.4", "vital_pulse": "96",
    "vital_systolic": "124", "vital_diastolic": "78", "vital_weight": "54",
}  # fmt: skip


class HealthWorker:
    """One health worker's browser, for a day."""

    def __init__(
        self, network: Network, account: Account, plan: Parameters, left: int = PER_HEALTH_WORKER
    ) -> None:
        self.browser, self.ledger, self.plan = Browser(network), network.ledger, plan
        self.account, self.left = account, left
        self.others = Refreshing(self._others, self.ledger)
        self.here = self.uid = self.shown = self.told = ""

    async def sign_in(self, *, is_new_day: bool) -> None:
        await staff_sign_in(self.browser, self.account, is_new_day)
        await self.browser.get("centre: day", "/centre/")

    async def bring(self, known: str) -> None:
        """One patient from the door to the medicine; `known` is the mobile number, "" of a newcomer."""
        self.left -= 1
        uid = await self._case(await self._find(known))
        if not uid:
            return
        page = self.browser.page
        waiting = WaitingRoom(self.browser, uid, page, self.plan)
        async with listening(waiting.socket, self._centre(uid, page)):
            if not await waiting.called():
                return
            page = await self._bring_in(uid)
        await self._sit_in(uid, page)

    def _centre(self, uid: str, page: Page) -> Socket:
        """As static/js/centre.js: the others' part is fetched when something else is told than shown."""
        self.uid, self.here = uid, page.find("data-here").get("data-here")
        self._show(page)
        return Socket(self.browser, "/ws/centre/", self._hear, hurry=self.plan.compression)

    def _show(self, page: Page) -> None:
        self.shown = page.find("data-news").get("data-news")

    async def _hear(self, message: dict[str, Any]) -> None:
        if "news" in message:
            news = message["news"]
            self.told = " ".join(one for one in news if not one.startswith(f"{self.here}."))
            if self.told != self.shown:
                self.others.ask()

    async def _others(self) -> None:
        path = f"/centre/consultations/{self.uid}/others/"
        self._show(await self.browser.part("centre: who waits", path))

    async def _find(self, known: str) -> Page:
        """Where it leads on from finding them: to a new case, past whoever is seen first."""
        phone = known or f"+91{next(_phones)}"
        page = await self.browser.get(
            "centre: find", f"/centre/patients/?number={phone.replace('+', '%2B')}"
        )
        if known:
            form = page.form("/patients/here/") | {"case": "1"}
            return await self.browser.submit(
                "centre: patient is here", form, "/centre/patients/here/", "centre: case page"
            )
        path = "/centre/patients/new/"
        page = await self.browser.get("centre: register page", f"{path}?phone=%2B{phone[1:]}")
        form = page.form("") | {
            "phone": phone, "name": f"Pinki Kumari {phone[-6:]}", "age": "24", "sex": "female",
            "address": "Canal Side, Belwa",
        }  # fmt: skip
        form.pop("abha_number", None)
        return await self.browser.submit(
            "centre: register", form | {"sure": "1", "case": "1"}, path, "centre: case page"
        )

    async def _case(self, page: Page) -> str:
        """Written in three pauses, sent where the page proposes; the consultation's id."""
        if page.find("data-case") is None:  # the patient's page: something is due first
            forms = [form.action for form in page.tree.forms if form.action.endswith("/case/")]
            page = await self.browser.submit(
                "centre: new case", page.form(forms[0]), forms[0], "centre: case page"
            )
        form, path = page.form("/case/"), page.path
        for said in ({"complaint": CASE["complaint"]}, dict(list(CASE.items())[:5]), CASE):
            await asyncio.sleep(self.plan.think(TYPES))
            saved = await self.browser.post("centre: the case saves itself", path, form=form | said)
            form["revision"] = str(saved.json()["revision"])
        # As static/js/case.js: what is saved is not sent once more.
        onwards = page.find("data-case").get("data-onwards")
        page = await self.browser.get("centre: send page", onwards)
        form = page.form("") | {
            "how": "spoken", "consent": "on", "is_present": "on", "send": "1",
        }  # fmt: skip
        await self.browser.submit("centre: send", form, page.path, "centre: waiting page")
        if "data-visit" not in self.browser.page.text:
            self.ledger.error("not sent", " ".join(self.browser.page.text.split())[-400:])
            return ""
        self.ledger.counts["sent"] += 1
        return page.path.strip("/").split("/")[2]

    async def _bring_in(self, uid: str) -> Page:
        """As static/js/turn.js: the call comes as a part of the page, whose sockets stay open."""
        path = f"/centre/consultations/{uid}/"
        part = await self.browser.part("centre: called", path)
        await asyncio.sleep(self.plan.think(BRINGS))
        self.ledger.done(f"answered {uid}")
        return await self.browser.submit(
            "centre: bring the patient in", part.form("/answer/"), f"{path}answer/", "centre: room"
        )

    async def _sit_in(self, uid: str, page: Page) -> None:
        path = f"/centre/consultations/{uid}/"
        if page.find("data-call") is None:
            self.ledger.error("no room", " ".join(page.text.split())[-400:])
            return
        room = Room(self.browser, uid, "health_worker", page, self.plan)
        async with room.open(self._centre(uid, page)):
            talking = asyncio.create_task(room.talk(self.plan.talk * 0.8))
            await room.issued.wait()
            await self.browser.part("centre: room", path)
            await room.over.wait()
            await asyncio.gather(talking, return_exceptions=True)
        await self._afterwards(path)

    async def _afterwards(self, path: str) -> None:
        """The result, the printed paper, what was given out."""
        page = await self.browser.get("centre: result", path)
        await self.browser.get("centre: print page", f"{path}print/")
        await read_pdf(self.browser, path.rstrip("/").rpartition("/")[2])
        form = page.form("/dispense/")
        form |= {name: "given" for name in form if name.startswith("given_")}
        await self.browser.in_place("centre: given out", form, f"{path}dispense/")
        await self.browser.get("centre: day", "/centre/")


async def read_pdf(browser: Browser, uid: str) -> None:
    """Whoever comes before the worker waits a moment, as the page says."""
    path = f"/consultations/{uid}/prescription.pdf"
    for _ in range(int(PDF_WITHIN)):
        page = await browser.ask("prescription: PDF", "GET", path, allow=(200, 503, 202, 409))
        if not page.text:  # a file, not the page that says "soon"
            browser.ledger.counts["PDFs read"] += 1
            return
        await asyncio.sleep(1 + random.random())
    browser.ledger.error("no PDF", path)
    raise Refused(path)
