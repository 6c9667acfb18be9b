"""How `make day` looks for the highest rate that the machine carries: up, and closer from both sides."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

from bench.cpu import machine_seconds
from bench.load.ledger import Ledger
from bench.load.play import NobodyOnDuty, Play
from bench.load.report import Spent
from bench.load.stage import Stage
from bench.load.step import Step

GROWS = 2.0  # each step's rate against the one before, until one breaks a limit
CLOSE = 1.1  # between the highest rate that holds and the lowest that does not
SETTLES = 25.0  # seconds until as many finish as come: twice the way from the door to the paper
EMPTIES_WITHIN = 40.0  # seconds for the line that a rate left behind which was too high


def next_rate(held: Iterable[float], broke: Iterable[float], most: float) -> float | None:
    """Consultations a second to be tried now, at most `most`; None when there is nothing left to try.

    What broke is tried a second time lower: half-way (in ratio) to what holds, or at half of it.
    """
    best, worst = max(held, default=0.0), min(broke, default=0.0)
    if not worst:
        return min(best * GROWS, most) if best < most else None
    if not best:
        return worst / GROWS
    return sqrt(best * worst) if worst / best > CLOSE else None


@dataclass(frozen=True)
class Mark:
    """What had been used and done until one moment."""

    at: float
    cpu: dict[str, float]
    client: float
    machine: float
    came: int
    finished: int
    errors: int
    steps: dict[str, int]
    updates: dict[str, int]


@dataclass
class Climb:
    """One rate after the other, at a site whose doors are open."""

    site: Stage
    play: Play
    lasts: float  # seconds of each step, once it has settled
    until: float  # the moment (of time.monotonic) at which the last step has ended
    most: float  # consultations a second for which there are people
    steps: list[Step] = field(default_factory=list)
    ended: str = ""  # why no more was tried, when it was not for the time

    @property
    def ledger(self) -> Ledger:
        return self.play.ledger

    @property
    def held(self) -> list[Step]:
        return [step for step in self.steps if not step.limits_broken]

    @property
    def broke(self) -> list[Step]:
        return [step for step in self.steps if step.limits_broken]

    @property
    def _has_time(self) -> bool:
        return time.monotonic() + SETTLES + self.lasts < self.until

    async def go(self, rate: float) -> None:
        """From this rate on, until the time is over or nothing is left to try."""
        tried: float | None = rate
        try:
            await self.play.open()
            # One is played even when the machine was so busy that starting took all the time.
            while tried and (not self.steps or self._has_time):
                self.steps.append(await self._step(tried))
                print(self.steps[-1].row, flush=True)
                if self.steps[-1].limits_broken:
                    await self.play.empties(EMPTIES_WITHIN)
                tried = next_rate(_rates(self.held), _rates(self.broke), self.most)
        except NobodyOnDuty as error:
            self.ended = f"At {tried:.2f} a second the doctors did not get to their desks: {error}"

    async def _step(self, rate: float) -> Step:
        """The doctors first, one after the other; then those who come, of whom the first are not counted."""
        await self.play.staff(self.play.plan.doctors_for(rate))
        coming = asyncio.create_task(self.play.arrivals(SETTLES + self.lasts, lambda _now: rate))
        await asyncio.sleep(SETTLES)
        before = self._mark()
        await coming
        return self._between(rate, before, self._mark())

    def _between(self, rate: float, before: Mark, after: Mark) -> Step:
        cpu = {name: seconds - before.cpu[name] for name, seconds in after.cpu.items()}
        spent = Spent(after.at - before.at, cpu, after.client - before.client)
        return Step(
            rate,
            spent,
            max(0.0, after.machine - before.machine - spent.servers - spent.client),
            after.came - before.came,
            after.finished - before.finished,
            _since(self.ledger.steps, before.steps),
            _since(self.ledger.updates, before.updates),
            after.errors - before.errors,
        )

    def _mark(self) -> Mark:
        return Mark(
            time.monotonic(),
            self.site.cpu(),
            time.process_time(),
            machine_seconds(),
            self.play.came,
            self.ledger.counts["consultations"],
            self.ledger.errors.total(),
            _lengths(self.ledger.steps),
            _lengths(self.ledger.updates),
        )


def _rates(steps: list[Step]) -> list[float]:
    return [step.rate for step in steps]


def _lengths(what: dict[str, list[float]]) -> dict[str, int]:
    return {name: len(values) for name, values in what.items()}


def _since(what: dict[str, list[float]], lengths: dict[str, int]) -> dict[str, list[float]]:
    kept = {name: values[lengths.get(name, 0) :] for name, values in what.items()}
    return {name: values for name, values in kept.items() if values}
