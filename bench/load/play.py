"""Plays a run: people come at their rate, doctors work, somebody watches the invariants meanwhile."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.load.browser import Browser
from bench.load.cast import Cast
from bench.load.doctors import Doctor
from bench.load.gateway import Gateway
from bench.load.health_workers import HealthWorker
from bench.load.invariants import Watch
from bench.load.ledger import Ledger
from bench.load.network import Network
from bench.load.open_page import Socket
from bench.load.page import Refused
from bench.load.parameters import LOOK_EVERY, PER_DOCTOR, PER_HEALTH_WORKER, Parameters
from bench.load.patients import Patient

FINISHES_WITHIN = 240.0  # seconds for those who came last
COMES_AFTER = (
    0.3  # seconds from one doctor who goes on duty to the next: not all open the door at once
)
ON_DUTY_WITHIN = 90.0  # seconds
STRANGER_WAITS = 10.0  # seconds until the socket must be closed


class NobodyOnDuty(Exception):
    """No doctor got as far as the desk; the text says what happened."""


@dataclass
class Desk:
    """Where one doctor works after the other, all of one clinic."""

    clinic: str
    closing: asyncio.Event = field(default_factory=asyncio.Event)  # after the patient who is there


@dataclass
class Play:
    """One run against a site that is up."""

    plan: Parameters
    cast: Cast
    network: Network
    gateway: Gateway
    watch: Watch
    say: Callable[[str], None] = print
    idle: list[HealthWorker] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)  # that are open
    doctors: list[asyncio.Task[None]] = field(default_factory=list)  # of every desk there was
    visits: set[asyncio.Task[None]] = field(default_factory=set)
    finishes_within: float = FINISHES_WITHIN
    came: int = 0
    went_home: int = 0  # health workers whose day is over; others begin theirs instead

    @property
    def ledger(self) -> Ledger:
        return self.network.ledger

    async def open(self) -> None:
        """Doctors go on duty. Raises NobodyOnDuty."""
        random.seed(self.plan.seed)
        self.watching = asyncio.create_task(self._watch())
        await self.staff(self.plan.doctors)

    async def warm_up(self) -> None:
        """People who are not counted, until the last of them is seen: who comes later is counted whole."""
        await self.arrivals(self.plan.warm_up, lambda _second: self.plan.rate)
        await self.empties(self.finishes_within)
        self.ledger.begin_to_count()

    async def staff(self, doctors: int) -> None:
        """So many at work from now on, who come one after the other. Raises NobodyOnDuty."""
        for desk in self.desks[doctors:]:
            desk.closing.set()
        del self.desks[doctors:]
        while len(self.desks) < doctors:
            clinics = self.cast.clinics
            self.desks.append(Desk(clinics[len(self.desks) % len(clinics)]))
            self.doctors.append(asyncio.create_task(self._work_at(self.desks[-1])))
            await asyncio.sleep(COMES_AFTER)
        until = time.monotonic() + ON_DUTY_WITHIN
        while self.ledger.counts["on duty"] < doctors:
            if time.monotonic() > until or all(one.done() for one in self.doctors):
                raise NobodyOnDuty("\n".join(self.ledger.examples[:5]))
            await asyncio.sleep(0.2)

    async def empties(self, within: float) -> None:
        """Until everybody who came is seen, or the time is over."""
        until = time.monotonic() + within
        while self.visits and time.monotonic() < until:
            await asyncio.wait(self.visits, timeout=1)

    async def last_are_seen(self) -> None:
        """Nobody comes any more; those who are there are seen."""
        await self.empties(self.finishes_within)
        for _visit in self.visits:
            self.ledger.error("not done when the run ended")

    async def close(self) -> None:
        """The doctors go home, all at once: no consultation needs that, so it is not counted."""
        for desk in self.desks:
            desk.closing.set()
        if self.doctors:
            await asyncio.wait(self.doctors, timeout=30)
        self.watching.cancel()
        for task in (*self.doctors, *self.visits):
            task.cancel()

    async def arrivals(self, seconds: float, rate_at: Callable[[float], float]) -> None:
        """By chance (Poisson), with the rate of the moment."""
        begun = time.monotonic()
        while (now := time.monotonic() - begun) < seconds:
            rate = rate_at(now)
            pause = random.expovariate(rate) if rate > 0 else 1.0
            await asyncio.sleep(min(pause, 5.0))
            if pause <= 5.0:
                self._arrive()

    def _arrive(self) -> None:
        self.came += 1
        hub = random.random() < self.plan.hub_share
        task = asyncio.create_task(self._visit(self._at_centre() if hub else self._at_home()))
        self.visits.add(task)
        task.add_done_callback(self.visits.discard)

    async def _visit(self, visit) -> None:
        try:
            await visit
        except Refused as error:
            self.ledger.error("visit given up", str(error))
        except TimeoutError:
            self.ledger.error("visit given up", "timeout")
        except Exception as error:  # a mistake of the driver's own: said, not hidden
            self.ledger.error(f"driver: {type(error).__name__}", str(error))

    async def _at_centre(self) -> None:
        if self.idle:
            worker = self.idle.pop(0)
        else:
            worker = await self._another_worker()
        known = ""
        if random.random() >= self.plan.newcomers and self.cast.patients:
            known = self.cast.patients.pop(0)
        try:
            await worker.bring(known)
        finally:
            if known:
                self.cast.patients.append(known)
        if worker.left:
            self.idle.append(worker)
        else:
            self.went_home += 1

    async def _another_worker(self) -> HealthWorker:
        """Who takes the place of one who went home begins a day; others are in the middle of theirs."""
        if not self.cast.health_workers:
            raise Refused("every health worker of the cast is at work")
        is_new_day = self.went_home > 0
        self.went_home -= is_new_day
        left = PER_HEALTH_WORKER if is_new_day else random.randint(1, PER_HEALTH_WORKER)
        worker = HealthWorker(self.network, self.cast.health_workers.pop(), self.plan, left)
        await worker.sign_in(is_new_day=is_new_day)
        return worker

    async def _at_home(self) -> None:
        clinic = random.choice(self.cast.clinics)
        await Patient(self.network, self.gateway, clinic, self.plan).visit()

    async def _work_at(self, desk: Desk) -> None:
        """A doctor's day, then the next doctor's. The run begins somewhere in the first day."""
        seen, before = random.randrange(1, PER_DOCTOR), None
        while not desk.closing.is_set() and (account := self.cast.next_doctor(desk.clinic)):
            doctor = Doctor(self.network, account, self.plan, seen)
            await self._visit(self._relieve(before, doctor, desk))
            before, seen = doctor, 0
        if before:
            await self._visit(before.leave())

    async def _relieve(self, before: Doctor | None, doctor: Doctor, desk: Desk) -> None:
        """Whoever was there leaves once the next one is on duty: nobody is sent to an empty clinic."""
        await doctor.begin()
        if before:
            await before.leave()
        await doctor.work(desk.closing)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await asyncio.to_thread(self.watch.look)
            done = self.ledger.counts["consultations"]
            at = time.monotonic() - self.ledger.begun
            self.say(f"{at:5.0f} s  came {self.came}, finished {done}, under way {len(self.visits)},"
                     f" errors {self.ledger.errors.total()}, broken {len(self.watch.broken)}")  # fmt: skip
            await self._stranger()

    async def _stranger(self) -> None:
        """Somebody else looks at a consultation by its address: page, PDF and socket say nothing."""
        if not self.ledger.told or not self.cast.health_workers:
            return
        uid = random.choice(list(self.ledger.told))
        somebody = HealthWorker(self.network, self.cast.health_workers.pop(), self.plan)
        await somebody.sign_in(is_new_day=False)
        for path in (f"/centre/consultations/{uid}/", f"/consultations/{uid}/prescription.pdf"):
            page = await somebody.browser.ask("stranger", "GET", path, allow=(200, 202, 404))
            if page.status != 404:
                self.ledger.broken.append(f"a stranger sees nothing of consultation {uid}")
        if await what_is_heard(somebody.browser, f"/ws/consultations/{uid}/"):
            self.ledger.broken.append(f"a stranger hears nothing of consultation {uid}")


async def what_is_heard(browser: Browser, path: str) -> list[dict[str, Any]]:
    """By somebody whose socket must be closed at once. Raises TimeoutError when it stays open."""
    heard: list[dict[str, Any]] = []

    async def hear(message: dict[str, Any]) -> None:
        heard.append(message)

    class Stranger(Socket):
        def refused(self, code: int) -> None:
            pass

    await asyncio.wait_for(Stranger(browser, path, hear).run(), STRANGER_WAITS)
    return heard
