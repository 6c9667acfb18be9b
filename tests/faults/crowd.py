"""Patients and doctors who use the running site over HTTP and sockets, and do not give up.

Whoever gets no answer asks again, the next web process each time, as people press a button again.
What a patient's page would show is kept beside what it was told, so that both can be compared with
the database afterwards.
"""

import asyncio
import contextlib
import json
import random
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Origin

from tests.factories import PARACETAMOL, a_doctors_form
from tests.faults.machine import Machine

PATIENCE = 300  # seconds that somebody goes on trying the same thing
ANSWERED_WITHIN = 15  # seconds a browser waits for a page before the person tries again
TRIES_AGAIN_AFTER = 0.5  # seconds
RECONNECTS_WITHIN = 5.0  # seconds; static/js/live.js: full jitter, doubling
LONGEST_RECONNECT = 10.0  # shorter than the page's 60 s: these people also press "reload"
CSRF = "c" * 32  # cookie and form carry the same, as Django wants it
QUESTION = "Since when do you have it?"
HELD = re.compile(r"/doctor/consultations/([0-9a-f-]{36})/")


class GaveUp(AssertionError):
    """Somebody could not do what they came for."""


@dataclass
class Person:
    """Somebody with a browser, signed in."""

    machine: Machine
    session: str
    troubles: "Counter[str]" = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.cookie = f"sessionid={self.session}; csrftoken={CSRF}"
        self.browser = httpx.AsyncClient(
            timeout=ANSWERED_WITHIN,
            headers={
                "Cookie": self.cookie,
                "Host": self.machine.url.removeprefix("http://"),
                "Origin": self.machine.url,
                "X-CSRFToken": CSRF,
            },
        )

    async def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The answer of the first process that has one. Raises GaveUp."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = await self.browser.request(method, self.machine.next_web() + path, **how)
            except httpx.TransportError as error:
                self.troubles[type(error).__name__] += 1
            else:
                if answer.status_code < 500:
                    return answer
                self.troubles[str(answer.status_code)] += 1
            await asyncio.sleep(TRIES_AGAIN_AFTER)
        raise GaveUp(f"{method} {path}: nothing but {dict(self.troubles)}")

    async def post(self, path: str, **data: Any) -> httpx.Response:
        answer = await self.ask("POST", path, data=data)
        if answer.status_code not in (302, 409):
            raise GaveUp(f"POST {path}: {answer.status_code}\n{answer.text[:2000]}")
        return answer


@dataclass
class Page:
    """What a patient's open page shows: changed only by what its socket said."""

    state: str = ""
    token: str | None = None
    ahead: int | None = None
    issued: str = ""
    messages: list[int] = field(default_factory=list)


@dataclass
class PatientAtHome(Person):
    """Books, waits with an open page, answers, writes, and reads the prescription."""

    uid: str = ""
    says: list[str] = field(default_factory=list)
    page: Page = field(default_factory=Page)
    is_open: bool = False  # the page: from the token to the end
    said: list[str] = field(default_factory=list)  # and acknowledged

    def __post_init__(self) -> None:
        super().__post_init__()
        self.path = f"/consultations/{self.uid}/"
        self.news = asyncio.Event()
        self.one_at_a_time = asyncio.Lock()

    async def visit(self) -> None:
        await self.post(f"{self.path}confirm/", consent="on")
        page = asyncio.create_task(self._keep_page_open())
        self.is_open = True
        try:
            await self._until(lambda: self.page.token == "called")
            while self.page.state == "requested":
                await self.post(f"{self.path}answer/")
                await self._until(
                    lambda: self.page.state != "requested" or self.page.token == "called"
                )
            for words in self.says:
                await self.write(words)
            await self._until(lambda: self.page.state == "completed")
            await self._read_prescription()
        finally:
            self.is_open = False
            page.cancel()

    async def _until(self, seen: Any) -> None:
        """Until the page shows it. Nobody looks elsewhere meanwhile: the page has to say it."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise GaveUp(f"The page of {self.path} stands at {self.page}") from None

    async def write(self, words: str) -> None:
        """One message, sent again until it is stored: its id is the page's own."""
        body = {"client_id": str(uuid.uuid4()), "text": words}
        answer = await self.ask("POST", f"/api/v1{self.path}messages/", json=body)
        if answer.status_code == 201:
            self.said.append(words)
        elif answer.status_code != 409:  # the doctor has finished meanwhile
            raise GaveUp(f"{answer.status_code}: {answer.text}")

    async def _read_prescription(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            answer = await self.ask("GET", f"{self.path}prescription.pdf")
            if answer.status_code == 200 and answer.content.startswith(b"%PDF"):
                return
            await asyncio.sleep(1)
        raise GaveUp(f"No PDF of {self.path} but {answer.status_code}")

    # --- the page ---------------------------------------------------------------------------------
    async def _keep_page_open(self) -> None:
        """As static/js/live.js: whatever closes the socket, it comes back after a random pause."""
        tries = 0
        while True:
            try:
                async with self._socket() as socket:
                    async for text in socket:
                        message = json.loads(text)
                        if message["type"] == "hello":
                            tries = 0
                        self._hear(message)
            except (OSError, TimeoutError, WebSocketException, InvalidHandshake) as error:
                self.troubles[f"socket: {type(error).__name__}"] += 1
            longest = min(LONGEST_RECONNECT, RECONNECTS_WITHIN * 2**tries)
            tries += 1
            await asyncio.sleep(random.uniform(0, longest))

    def _socket(self) -> Any:
        return connect(
            f"{self.machine.next_live()}/ws/consultations/{self.uid}/",
            origin=Origin(self.machine.url),
            additional_headers={"Cookie": self.cookie},
            proxy=None,
            open_timeout=ANSWERED_WITHIN,
            close_timeout=1,
            ping_interval=None,  # browsers do not ask
        )

    def _hear(self, message: dict[str, Any]) -> None:
        """What waiting.js and room.js make of it."""
        kind = message["type"]
        if kind in ("hello", "now"):
            self.page.state, self.page.token = message["state"], message["token"]
            self.page.issued = message["issued"]
        elif kind == "place":
            self.page.ahead = message["ahead"]
        elif kind == "token":
            self.page.token = message["state"]
        elif kind == "state":
            self.page.state = message["state"]
        if self.page.state in ("in_progress", "completed"):
            # Beside what is heard meanwhile, as the page does it.
            self.fetching = asyncio.create_task(self._fetch_parts(kind))
        self.news.set()

    async def _fetch_parts(self, kind: str) -> None:
        async with self.one_at_a_time:
            await self._fetch(kind)

    async def _fetch(self, kind: str) -> None:
        if kind == "prescription":
            shown = await self.ask("GET", self.path)
            found = re.search(r'data-issued="([^"]+)"', shown.text)
            self.page.issued = found[1] if found else self.page.issued
        last = max(self.page.messages, default=0)
        answer = await self.ask("GET", f"/api/v1{self.path}messages/?after={last}")
        if answer.status_code == 200:
            self.page.messages += [row["id"] for row in answer.json() if row["id"] > last]


@dataclass
class DoctorOnDuty(Person):
    """Calls the next one, writes, prescribes, finishes; until nobody is left."""

    clinic: str = ""
    seen: int = 0

    async def work(self, left: "Left") -> None:
        while left.patients:
            uid = await self._patient()
            if uid is None:
                await self.post("/doctor/call/", clinic=self.clinic)
                uid = await self._patient()
            if uid is None:
                await asyncio.sleep(1)
            elif await self._is_in_the_room(uid):
                await self._treat(uid)

    async def _patient(self) -> str | None:
        """Who was called by this doctor or is in the room: the desk says so."""
        desk = await self.ask("GET", "/doctor/")
        found = HELD.search(desk.text)
        return found[1] if found else None

    async def _is_in_the_room(self, uid: str) -> bool:
        answer = await self.ask("GET", f"/doctor/consultations/{uid}/")
        if 'data-state="in_progress"' in answer.text:
            return True
        await asyncio.sleep(0.5)
        return False

    async def _treat(self, uid: str) -> None:
        room = f"/doctor/consultations/{uid}/"
        body = {"client_id": str(uuid.uuid5(uuid.NAMESPACE_OID, uid)), "text": QUESTION}
        await self.ask("POST", f"/api/v1/consultations/{uid}/messages/", json=body)
        form = a_doctors_form(PARACETAMOL)
        while (await self.post(f"{room}save/", **form, issue="issue")).status_code == 409:
            if "issued" in (await self.ask("GET", room)).text:
                break  # the first press had worked; its answer was lost
        await self.post(f"{room}save/", **a_doctors_form(), finish="finish")
        self.seen += 1


@dataclass
class Left:
    """How many patients have not been seen yet."""

    patients: int


@dataclass
class Crowd:
    """All of them, in a thread of their own, while the trouble is made in ours."""

    patients: list[PatientAtHome]
    doctors: list[DoctorOnDuty]
    every: float = 0.5  # seconds between two patients who come
    failed: list[BaseException] = field(default_factory=list)
    is_busy: bool = False

    @contextmanager
    def at_work(self) -> Iterator["Crowd"]:
        """They begin; at the end everybody has been seen, or the first failure is raised."""
        thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="crowd")
        self.is_busy = True
        thread.start()
        try:
            yield self
        finally:
            thread.join()
        if self.failed:
            raise self.failed[0]

    async def _all(self) -> None:
        left = Left(len(self.patients))
        try:
            async with asyncio.TaskGroup() as group:
                for doctor in self.doctors:
                    group.create_task(doctor.work(left))
                for number, patient in enumerate(self.patients):
                    group.create_task(self._one(patient, number * self.every, left))
        except BaseExceptionGroup as errors:
            self.failed += errors.exceptions
        self.is_busy = False
        for person in (*self.patients, *self.doctors):
            with contextlib.suppress(Exception):
                await person.browser.aclose()

    async def _one(self, patient: PatientAtHome, after: float, left: Left) -> None:
        await asyncio.sleep(after)
        await patient.visit()
        left.patients -= 1

    def troubles(self) -> "Counter[str]":
        """What went wrong on the way, and was tried again."""
        everybody = (*self.patients, *self.doctors)
        return sum((person.troubles for person in everybody), Counter())
