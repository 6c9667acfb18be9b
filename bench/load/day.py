"""`python -m bench.load.day`: the largest share of a day of 90,000 consultations that this machine carries.

Needs DATABASE_URL and REDIS_URL; `make day` starts both. docs/performance.md explains it.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from typing import Any

import django
from django.utils.module_loading import import_string

from bench.load.browser import Browser
from bench.load.gateway import Gateway
from bench.load.ledger import Ledger
from bench.load.network import Network
from bench.load.open_page import Socket, listening
from bench.load.parameters import Parameters
from bench.load.report import table
from bench.load.stage import Stage, stage, start_all
from bench.load.step import HEAD
from bench.load.verdict import verdict
from bench.services import CannotStart

CLOSES_WITHIN = (
    60.0  # seconds of a run, for those who came last, and for what is looked at afterwards
)
SHORTEST, LONGEST = 40.0, 90.0  # seconds of a step, without its beginning
STEPS = 6  # for which there should be time
AT_REST = 240  # sockets open at once while what rest costs is measured
RECHECK = 60.0  # seconds, consult/consumers.py


async def rest(site: Stage, network: Network, pages: list[tuple[str, str]]) -> float:
    """Seconds of CPU for one open socket that nobody says anything on, for one minute."""

    async def hear(_message: dict[str, Any]) -> None:
        pass

    sockets = []
    for path, session in pages:
        browser = Browser(network)
        browser.cookies["sessionid"] = session
        sockets.append(Socket(browser, path, hear))
    idle_before = await _idle(site, 15)
    async with listening(*sockets):
        await asyncio.wait_for(asyncio.gather(*(one.greeted.wait() for one in sockets)), 60)
        with_sockets = await _idle(site, RECHECK + 5)
    return max(0.0, with_sockets - idle_before) / len(pages) * 60


async def _idle(site: Stage, seconds: float) -> float:
    """CPU a second of all servers while nothing is asked."""
    before, begun = site.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    after = site.cpu()
    return sum(after[name] - before[name] for name in after) / (time.monotonic() - begun)


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
            pages = import_string("bench.load.cast.open_pages")(AT_REST)
            start_all(site)
            return asyncio.run(_run(site, plan, cast, pages, options, begun))
    except CannotStart as error:
        print(f"day: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.load.day", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--minutes", type=float, default=15, help="for everything; one step is always played"
    )
    parser.add_argument("--begin", type=float, default=0.2, help="consultations a second, first")
    parser.add_argument("--most", type=float, default=4.0, help="for which there are people")
    parser.add_argument("--compression", type=float, default=60.0)
    parser.add_argument("--clinics", type=int, default=4)
    parser.add_argument("--web-workers", type=int, default=2)
    return parser.parse_args()


async def _run(
    site: Stage,
    plan: Parameters,
    cast: Any,
    pages: list[tuple[str, str]],
    options: Any,
    begun: float,
) -> int:
    print(import_string("bench.report.machine")(), flush=True)
    ledger = Ledger()
    reachable = import_string("bench.load.__main__.reachable")()
    watch = import_string("bench.load.invariants.Watch")(site.database, ledger, reachable)
    async with (
        Gateway().listen(site.gateway_port) as gateway,
        Network.open(
            pages=site.pages, sockets=site.sockets, origin=site.origin, ledger=ledger
        ) as network,
    ):
        socket_minute = await rest(site, network, pages)
        print(f"A socket at rest: {socket_minute * 1000:.2f} ms of CPU a minute.\n\n{HEAD}")
        play = import_string("bench.load.play.Play")(
            plan, cast, network, gateway, watch, say=_silence, finishes_within=CLOSES_WITHIN / 2
        )  # fmt: skip
        climb = _climb(site, play, begun + options.minutes * 60 - CLOSES_WITHIN, options.most)
        try:
            await climb.go(options.begin)
        finally:
            _say_verdict(climb, socket_minute)
        await play.last_are_seen()
        await play.close()
        await asyncio.to_thread(site.site.wait_for_worker)
        await asyncio.to_thread(watch.look_back, gateway.received)
    return _say_best(climb, watch)


def _climb(site: Stage, play: Any, until: float, most: float) -> Any:
    """Whose steps are as long as there is time for some of them."""
    settles = import_string("bench.load.climb.SETTLES")
    lasts = max(SHORTEST, min(LONGEST, (until - time.monotonic()) / STEPS - settles))
    return import_string("bench.load.climb.Climb")(site, play, lasts, until, most)


def _silence(_words: str) -> None:
    """Steps say enough."""


def _say_verdict(climb: Any, socket_minute: float) -> None:
    """Also when the run is broken off: what was seen until then was seen."""
    if climb.steps:
        cores = os.cpu_count() or 1
        print(f"\n{verdict(climb.steps, socket_minute, cores, climb.ended)}", flush=True)
    else:
        print(f"No step came to its end. {climb.ended}", file=sys.stderr)


def _say_best(climb: Any, watch: Any) -> int:
    """The step that carried most, in full, with the errors of the whole run."""
    best = max(climb.held or climb.steps, key=lambda one: one.carried, default=None)
    if best is None:
        return 1
    ledger = climb.play.ledger
    shown = replace(ledger, steps=best.steps, updates=best.updates, counts=ledger.counts.copy())
    shown.counts["consultations"] = best.finished
    shown.counts["requests"] = sum(len(values) for values in best.steps.values())
    print(f"\nAt {best.rate:.2f} a second:\n\n{table(shown, best.spent, watch)}")
    return 1 if watch.broken else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")
    sys.exit(main())
