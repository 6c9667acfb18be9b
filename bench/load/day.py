"""`python -m bench.load.day`: the largest share of a day of 90,000 consultations that this machine carries.

Needs DATABASE_URL and REDIS_URL; `make day` starts both. docs/performance.md explains it.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from math import sqrt
from statistics import mean
from typing import Any

import django
from django.utils.module_loading import import_string

from bench.load.browser import Browser, Network, Socket, listening
from bench.load.gateway import Gateway
from bench.load.ledger import Ledger
from bench.load.parameters import DAY_SECONDS, NATIONAL_DAY, PEAK, TALK_SECONDS, Parameters
from bench.load.report import FEW, PAGE_LIMIT, UPDATE_LIMIT, Spent, percentile, table
from bench.load.stage import Stage, stage, start_all
from bench.services import CannotStart

GROWS = 1.3  # each step's rate against the one before
KEEPS_UP = 0.8  # of those who come: fewer finished means that the line grows without end
HEADROOM = 0.7  # of the cores: what is busier than this in its peak hour keeps people waiting
CLOSES_WITHIN = 60.0  # seconds of a run, for those who came last
AT_REST = 240  # sockets open at once while what rest costs is measured
RECHECK = 60.0  # seconds, consult/consumers.py
WAITS = 300.0  # seconds in life from the door to the call: a doctor's line of four to five minutes
# Sockets that are open for one consultation, and for how long in life: the doctor's; the health worker's
# two while the patient waits and talks.
SOCKET_MINUTES = (TALK_SECONDS / 0.8 + 2 * (WAITS + TALK_SECONDS)) / 60


@dataclass(frozen=True)
class Step:
    """One rate, held for a while."""

    rate: float
    spent: Spent
    came: int
    finished: int
    steps: dict[str, list[float]]
    updates: dict[str, list[float]]
    errors: int

    @property
    def carried(self) -> float:
        return self.finished / self.spent.seconds

    @property
    def each(self) -> float:
        """Seconds of CPU for one consultation, all servers together."""
        return self.spent.servers / max(1, self.finished)

    def worst(self, what: dict[str, list[float]]) -> tuple[float, str]:
        """The highest p95 in seconds, and whose; of what was too seldom all together is one."""
        often = {name: values for name, values in what.items() if len(values) >= FEW * 4}
        seldom = [one for name, values in what.items() if name not in often for one in values]
        if len(seldom) >= FEW * 4:
            often["(what is seldom)"] = seldom
        return max(((percentile(values, 95), name) for name, values in often.items()),
                   default=(0.0, "nothing"))  # fmt: skip

    @property
    def limits_broken(self) -> list[str]:
        page, update = self.worst(self.steps), self.worst(self.updates)
        found = []
        if page[0] > PAGE_LIMIT:
            found.append(f"page {page[1]!r} {page[0] * 1000:.0f} ms")
        if update[0] > UPDATE_LIMIT:
            found.append(f"live update {update[1]!r} {update[0] * 1000:.0f} ms")
        # Who come by chance leave a few under way at any moment: twice the root of their number.
        if self.finished < self.came * KEEPS_UP - 2 * sqrt(self.came):
            found.append("the line grows")
        if self.errors:
            found.append(f"{self.errors} errors")
        return found


@dataclass
class Day:
    """Steps the rate up until a limit breaks."""

    site: Stage
    play: Any
    ledger: Ledger
    step_seconds: float
    steps: list[Step] = field(default_factory=list)

    async def climb(self, rate: float, until: float) -> None:
        """`until`: the moment after which no step begins."""
        while time.monotonic() + self.step_seconds < until:
            step = await self._step(rate)
            self.steps.append(step)
            print(line(step), flush=True)
            if step.limits_broken and step is not self.steps[0]:
                return
            if step.limits_broken:
                rate /= GROWS**2  # begun too high
            else:
                rate *= GROWS

    async def _step(self, rate: float) -> Step:
        await self.play.staff(self.play.plan.doctors_for(rate))
        settle = min(15.0, self.step_seconds / 3)
        coming = asyncio.create_task(self.play.arrivals(self.step_seconds, lambda _now: rate))
        await asyncio.sleep(settle)
        before = self._mark()
        await coming
        after = self._mark()
        cpu = {name: after[1][name] - before[1][name] for name in after[1]}
        spent = Spent(after[0] - before[0], cpu, after[2] - before[2])
        return Step(
            rate,
            spent,
            after[7] - before[7],
            after[3] - before[3],
            _since(self.ledger.steps, before[4]),
            _since(self.ledger.updates, before[5]),
            after[6] - before[6],
        )

    def _mark(self) -> tuple[Any, ...]:
        return (
            time.monotonic(),
            self.site.cpu(),
            time.process_time(),
            self.ledger.counts["consultations"],
            {name: len(values) for name, values in self.ledger.steps.items()},
            {name: len(values) for name, values in self.ledger.updates.items()},
            self.ledger.errors.total(),
            self.play.came,
        )


def _since(what: dict[str, list[float]], lengths: dict[str, int]) -> dict[str, list[float]]:
    kept = {name: values[lengths.get(name, 0) :] for name, values in what.items()}
    return {name: values for name, values in kept.items() if values}


def line(step: Step) -> str:
    page, update = step.worst(step.steps), step.worst(step.updates)
    busy = step.spent.servers / step.spent.seconds
    return (
        f"| {step.rate:.2f} | {step.carried:.2f} | {step.each * 1000:.0f} | {busy:.0%} |"
        f" {step.spent.client / step.spent.seconds:.0%} | {page[0] * 1000:.0f} {page[1]} |"
        f" {update[0] * 1000:.0f} {update[1]} | {', '.join(step.limits_broken) or 'holds'} |"
    )


HEAD = (
    "| came /s | finished /s | CPU ms per consultation | servers | driver | slowest page, p95 ms |"
    " slowest live update, p95 ms | |\n|--:|--:|--:|--:|--:|---|---|---|"
)


async def rest(site: Stage, network: Network, keys: list[str]) -> float:
    """Seconds of CPU for one open socket that nobody says anything on, for one minute."""

    async def hear(_message: dict[str, Any]) -> None:
        pass

    sockets = []
    for key in keys:
        browser = Browser(network)
        browser.cookies["sessionid"] = key
        sockets.append(Socket(browser, "/ws/desk/", hear))
    idle_before = await _idle(site, 15)
    async with listening(*sockets):
        await asyncio.wait_for(asyncio.gather(*(one.greeted.wait() for one in sockets)), 60)
        with_sockets = await _idle(site, RECHECK + 5)
    return max(0.0, with_sockets - idle_before) / len(keys) * 60


async def _idle(site: Stage, seconds: float) -> float:
    """CPU a second of all servers while nothing is asked."""
    before, begun = site.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    after = site.cpu()
    return sum(after[name] - before[name] for name in after) / (time.monotonic() - begun)


def verdict(steps: list[Step], socket_minute: float, cores: int) -> str:
    """What was carried, what it comes to, and how it was reckoned."""
    held = [step for step in steps if not step.limits_broken]
    peak = NATIONAL_DAY / DAY_SECONDS * PEAK
    best = max(held, key=lambda step: step.carried, default=None)
    each = mean(step.each for step in held or steps)
    resting = socket_minute * SOCKET_MINUTES
    by_cpu = cores * HEADROOM / (each + resting)
    lines = [
        f"A day of {NATIONAL_DAY:,} has {peak:.2f} consultations begun a second in its peak hour"
        f" ({PEAK:.0f} times the mean of 24 hours).",
        f"Measured with the driver on the same {cores} cores: "
        + (
            f"{best.carried:.2f} a second within all limits, {best.carried / peak:.0%} of that day."
            if best
            else "no step kept all limits; see what broke."
        ),
        f"CPU of one consultation: {each * 1000:.0f} ms as played, and {resting * 1000:.0f} ms for"
        f" {SOCKET_MINUTES:.0f} minutes of open sockets ({socket_minute * 1000:.2f} ms a socket and"
        " minute), which played time is too short to show.",
        f"Reckoned without the driver, the cores {HEADROOM:.0%} busy: {by_cpu:.2f} a second,"
        f" {by_cpu / peak:.0%} of that day, {by_cpu / peak * NATIONAL_DAY:,.0f} consultations.",
    ]
    return "\n".join(lines)


def main() -> int:
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _frame: sys.exit(128 + which))
    plan = Parameters(
        rate=options.begin, flat=True, compression=options.compression, clinics=options.clinics,
        web_workers=options.web_workers, seconds=options.minutes * 60,
    )  # fmt: skip
    begun = time.monotonic()
    try:
        with stage(plan.web_workers) as site:
            django.setup()
            expected = int(options.most * plan.seconds / 2)
            cast = import_string("bench.load.cast.make_cast")(
                replace(plan, rate=options.most), expected
            )
            keys = import_string("bench.load.cast.open_desks")(AT_REST)
            start_all(site)
            return asyncio.run(_run(site, plan, cast, keys, options, begun))
    except CannotStart as error:
        print(f"day: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.load.day", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15, help="for everything, at most")
    parser.add_argument("--begin", type=float, default=0.2, help="consultations a second, first")
    parser.add_argument("--most", type=float, default=3.0, help="for which there are people")
    parser.add_argument("--compression", type=float, default=60.0)
    parser.add_argument("--clinics", type=int, default=4)
    parser.add_argument("--web-workers", type=int, default=2)
    return parser.parse_args()


async def _run(
    site: Stage, plan: Parameters, cast: Any, keys: list[str], options: Any, begun: float
) -> int:
    print(import_string("bench.report.machine")(), flush=True)
    ledger = Ledger()
    reachable = import_string("bench.load.__main__.reachable")()
    watch = import_string("bench.load.invariants.Watch")(site.database, ledger, reachable)
    ends = begun + options.minutes * 60
    async with (
        Gateway().listen(site.gateway_port) as gateway,
        Network.open(
            pages=site.pages, sockets=site.sockets, origin=site.origin, ledger=ledger
        ) as network,
    ):
        socket_minute = await rest(site, network, keys)
        print(f"A socket at rest: {socket_minute * 1000:.2f} ms of CPU a minute.\n\n{HEAD}")
        play = import_string("bench.load.play.Play")(
            plan,
            cast,
            network,
            gateway,
            watch,
            say=lambda _words: None,
            finishes_within=CLOSES_WITHIN,
        )
        await play.open()
        await play.arrivals(15, lambda _now: options.begin)
        seconds = max(30.0, min(90.0, (ends - time.monotonic() - CLOSES_WITHIN) / 6))
        day = Day(site, play, ledger, seconds)
        await day.climb(options.begin, ends - CLOSES_WITHIN)
        await play.close()
        await asyncio.to_thread(site.site.wait_for_worker)
        await asyncio.to_thread(watch.look_back, gateway.received)
    if not day.steps:
        print("No time was left for a single step: give it more --minutes.", file=sys.stderr)
        return 1
    best = max((one for one in day.steps if not one.limits_broken), default=day.steps[0],
               key=lambda one: one.carried)  # fmt: skip
    print(f"\n{verdict(day.steps, socket_minute, os.cpu_count() or 1)}\n\nAt {best.rate:.2f}:\n")
    seen = replace_counts(ledger, best)
    print(table(seen, best.spent, watch))
    return 1 if watch.broken else 0


def replace_counts(ledger: Ledger, step: Step) -> Ledger:
    """The ledger of one step alone, with the errors of the whole run."""
    shown = replace(ledger, steps=step.steps, updates=step.updates, counts=ledger.counts.copy())
    shown.counts["consultations"] = step.finished
    shown.counts["requests"] = sum(len(values) for values in step.steps.values())
    return shown


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")
    sys.exit(main())
