"""A doctor's day: on duty, call the next one, read, talk, write, prescribe, finish; then the next doctor."""

import asyncio
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from django_otp.oath import TOTP

from bench.load.browser import Browser
from bench.load.network import Network
from bench.load.open_page import Refreshing, Socket, listening
from bench.load.page import Refused
from bench.load.parameters import PER_DOCTOR, Parameters
from bench.load.room import Room

READS = 20.0  # seconds, in life
# From the sight of somebody in the line to the press of "Call next", in seconds of the run: the first gets
# the patient, and what tells the others so is not faster in shortened time.
REACTS = (0.3, 3.0)
# Of those who left others waiting when they went into the room; the rest look at the desk first.
GOES_ON = 0.7
TYPED = ["par", "parac", "paracetamol"]
MEDICINE = {
    "lines-0-generic": "Paracetamol", "lines-0-form": "tablet", "lines-0-strength": "500 mg",
    "lines-0-dose": "1", "lines-0-frequency": "tds", "lines-0-days": "3",
}  # fmt: skip


@dataclass(frozen=True)
class Account:
    """How a member of staff signs in, and the session of one who did so before the run."""

    phone: str
    password: str
    totp_key: bytes
    session: str
    clinic: str = ""  # a doctor's


async def staff_sign_in(browser: Browser, account: Account, is_new_day: bool) -> None:
    """Password and authenticator app, once a day; whoever is in the middle of theirs did so before."""
    if not is_new_day:
        browser.cookies["sessionid"] = account.session
        return
    await browser.get("staff: sign-in page", "/staff/sign-in/")
    form = browser.page.form("") | {"phone": account.phone, "password": account.password}
    await browser.submit("staff: password", form, "/staff/sign-in/", then="staff: second factor")
    code = TOTP(account.totp_key, drift=0)
    code.time = time.time()
    form = browser.page.form("") | {"code": f"{code.token():06d}"}
    await browser.submit("staff: code", form, browser.page.path, then="staff: first page")


class Doctor:
    """One doctor's browser."""

    def __init__(self, network: Network, account: Account, plan: Parameters, seen: int = 0) -> None:
        self.browser, self.ledger, self.plan = Browser(network), network.ledger, plan
        self.account, self.seen = account, seen
        self.somebody, self.answered = asyncio.Event(), asyncio.Event()
        self.is_calling = False
        # The desk's own part: its version, and whether and in which consultation somebody is held.
        self.shown, self.held, self.uid = "", "", ""
        self.own = Refreshing(self._refresh, self.ledger)

    async def begin(self) -> None:
        """Signed in and on duty. Raises Refused."""
        await staff_sign_in(self.browser, self.account, is_new_day=not self.seen)
        await self.browser.get("desk: page", "/doctor/")
        if "/doctor/duty/end/" not in self.browser.page.text:
            form = self.browser.page.form("/duty/start/") | {"clinic": self.account.clinic}
            await self.browser.submit("desk: on duty", form, "/doctor/duty/start/", "desk: page")
        self.ledger.counts["on duty"] += 1

    async def work(self, closing: asyncio.Event) -> None:
        """A day's patients, or as many as come until the desk closes; whoever is called is seen."""
        while self.uid or (self.seen < PER_DOCTOR and not closing.is_set()):
            uid = await self._next_patient(closing)
            if uid and await self._consult(uid, closing):
                self.seen += 1

    async def leave(self) -> None:
        """Off duty. Raises Refused."""
        self.ledger.counts["on duty"] -= 1
        await self.browser.get("desk: page", "/doctor/")
        form = self.browser.page.form("/duty/end/")
        await self.browser.submit("desk: off duty", form, "/doctor/duty/end/", "desk: page")

    def _read_desk(self, page: Any) -> None:
        if page.tree.xpath("//*[@data-call-next and not(@data-empty)]"):
            self.somebody.set()
        else:
            self.somebody.clear()
        self._read_own(page)

    def _read_own(self, page: Any) -> None:
        self.shown = page.find("data-own").get("data-own")
        held = page.find("data-held")
        self.held = held.get("data-held") if held is not None else ""
        link = page.find("data-open")
        self.uid = link.get("href").rstrip("/").rpartition("/")[2] if link is not None else ""
        if self.held == "serving":
            self.answered.set()

    async def _refresh(self) -> None:
        self._read_own(await self.browser.part("desk: own part", "/doctor/own/"))

    async def _hear(self, message: dict[str, Any]) -> None:
        """As static/js/desk.js: a line comes as it is, the doctor's own part is fetched."""
        if message["type"] == "line":
            is_asked = message["present"] and not message["others_first"]
            (self.somebody.set if is_asked else self.somebody.clear)()
        elif message.get("own") != self.shown or "own" not in message:
            if message.get("state") == "serving" and self.held == "called":
                self.answered.set()
            elif not self._is_own_call(message):
                self.own.ask()

    def _is_own_call(self, message: dict[str, Any]) -> bool:
        is_shown = self.is_calling or self.held == "called"
        return message.get("state") == "called" and "own" not in message and is_shown

    async def _next_patient(self, closing: asyncio.Event) -> str:
        """The consultation whose patient came in; "" when nobody came."""
        self.somebody.clear(), self.answered.clear()
        self._read_desk(self.browser.page)
        path = "/ws/desk/?language=en"
        desk = Socket(self.browser, path, self._hear, hurry=self.plan.compression)
        async with listening(desk):
            while not self.uid and not closing.is_set():
                if not await _set_within(self.somebody, 1.0):
                    continue
                await asyncio.sleep(random.uniform(*REACTS))
                if not self.somebody.is_set() or closing.is_set():
                    continue
                await self._call()
            if not self.uid:
                return ""
            self.ledger.hold(self.account.phone, self.uid)
            self.ledger.called(self.uid, self.asked_at)
            return await self._until_answered(self.uid)

    async def _call(self) -> None:
        """As static/js/desk.js: whom it brought, or that it brought nobody, comes into the page."""
        form = {"csrfmiddlewaretoken": self.browser.page.csrf, "clinic": self.account.clinic}
        self.asked_at, self.is_calling = time.monotonic(), True
        self.somebody.clear()
        came = await self._send("desk: call next", "/doctor/call/", form, "fetch")
        self.is_calling = False
        if came.find("data-own") is not None:
            self._read_own(came)

    async def _send(self, step: str, path: str, form: dict[str, str], wanted: str) -> Any:
        """A form that a script sends; `wanted` says what it takes of the answer."""
        headers = {"Origin": self.browser.network.origin, "X-Requested-With": wanted}
        return await self.browser.ask(
            step, "POST", path, data=form, headers=headers, allow=(200, 202)
        )

    async def _until_answered(self, uid: str) -> str:
        """Read the case meanwhile; whoever does not come is passed over by the sweep."""
        if await _set_within(self.answered, 200):
            self.ledger.heard("patient came in", f"answered {uid}")
            return uid
        self.ledger.error("nobody answered", uid)
        self.ledger.let_go(self.account.phone)
        await self._look_at_desk()
        return ""

    async def _look_at_desk(self) -> None:
        self._read_desk(await self.browser.get("desk: page", "/doctor/"))

    async def _consult(self, uid: str, closing: asyncio.Event) -> bool:
        self.path = f"/doctor/consultations/{uid}/"
        try:
            page = await self.browser.get("doctor's room: page", self.path)
            room = Room(self.browser, uid, "doctor", page, self.plan)
            async with room.open():
                talking = asyncio.create_task(room.talk(self.plan.talk * 0.8))
                await asyncio.sleep(self.plan.think(READS))
                await self._write(room)
                await talking
            await self._finish(uid, closing)
            return True
        except Refused:
            await self._look_at_desk()
            return False
        finally:
            self.ledger.let_go(self.account.phone)

    async def _write(self, room: Room) -> None:
        """Findings, diagnosis and a medicine: the page saves itself at each pause and shows the rules."""
        form = room.page.form("/save/")
        await self._save(form | {"findings": "Throat red, lungs clear"})
        await asyncio.sleep(self.plan.talk * 0.4)
        form |= {"findings": "Throat red, lungs clear", "diagnosis": "Viral fever"}
        await self._save(form)
        await self._type_a_name()
        form |= MEDICINE | {"advice": "Rest and plenty of water"}
        await self._save(form)
        await asyncio.sleep(self.plan.talk * 0.4 * random.uniform(0.7, 1.3))
        self.ledger.done(f"issued {room.uid}")
        await room.report()
        # As static/js/stay.js: the form as it is then comes into the page.
        self.browser.page = await self._send(
            "doctor: issue", f"{self.path}save/", form | {"issue": "1"}, "stay"
        )

    async def _type_a_name(self) -> None:
        """As static/js/drug_search.js, which looks through an answer that left nothing out."""
        is_whole = False
        for typed in TYPED:
            if not is_whole:
                found = await self.browser.ask(
                    "doctor: drug search", "GET", f"/api/v1/drugs/typed/?q={typed}",
                    headers={"Accept": "application/json"},
                )  # fmt: skip
                is_whole = json.loads(found.text)["whole"]
            await asyncio.sleep(self.plan.think(1.0))

    async def _save(self, form: dict[str, str]) -> None:
        """As static/js/prescribe.js: the answer is what the rules say."""
        await self._send("doctor: the page saves itself", f"{self.path}save/", form, "fetch")

    async def _finish(self, uid: str, closing: asyncio.Event) -> None:
        """In a busy line mostly with the next call in the same press."""
        is_last = self.seen + 1 >= PER_DOCTOR or closing.is_set()
        goes_on = self.somebody.is_set() and not is_last and random.random() < GOES_ON
        form = self.browser.page.form("/save/") | {"finish": "next" if goes_on else "1"}
        self.ledger.done(f"finished {uid}")
        self.asked_at = time.monotonic()
        await self.browser.submit("doctor: finish", form, f"{self.path}save/", "desk: page")
        self._read_desk(self.browser.page)
        self.ledger.told[uid].is_finished = True
        self.ledger.counts["consultations"] += 1


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
