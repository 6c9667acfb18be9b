"""`python -m bench.load`: people of a whole day against the running site; what it costs, what breaks.

Needs DATABASE_URL and REDIS_URL; `make load` starts both. docs/performance.md explains it.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import fields

import django
from django.utils.module_loading import import_string

from bench.load.gateway import Gateway
from bench.load.ledger import Ledger
from bench.load.network import Network
from bench.load.parameters import Parameters
from bench.load.report import Beside, Reading, Spent
from bench.load.stage import Stage, stage, start_all
from bench.services import CannotStart

REST = 10.0  # seconds


def main() -> int:
    plan = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _frame: sys.exit(128 + which))
    try:
        with stage(plan.web_workers) as site:
            django.setup()
            cast = import_string("bench.load.cast.make_cast")(plan, plan.expected)
            start_all(site)
            return asyncio.run(_run(site, plan, cast))
    except CannotStart as error:
        print(f"load: {error}", file=sys.stderr)
        return 1


def _options() -> Parameters:
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__.splitlines()[0])
    for one in fields(Parameters):
        name = f"--{one.name.replace('_', '-')}"
        if one.type is bool or one.type == "bool":
            parser.add_argument(name, action="store_true", default=one.default)
        else:
            parser.add_argument(name, type=type(one.default), default=one.default)
    return Parameters(**vars(parser.parse_args()))


async def _run(site: Stage, plan: Parameters, cast) -> int:
    """0 when no invariant broke and nothing went wrong."""
    play_of, watch_of = (
        import_string("bench.load.play.Play"),
        import_string("bench.load.invariants.Watch"),
    )
    report = import_string("bench.load.report.table")
    rest = await _at_rest(site)
    print(import_string("bench.report.machine")())
    print(f"{plan}\n{plan.doctors} doctors, about {plan.expected} consultations", flush=True)
    ledger = Ledger()
    watch = watch_of(site.database, ledger, reachable())
    async with (
        Gateway().listen(site.gateway_port) as gateway,
        Network.open(
            pages=site.pages, sockets=site.sockets, origin=site.origin, ledger=ledger
        ) as network,
    ):
        play = play_of(plan, cast, network, gateway, watch)
        await play.open()
        await play.warm_up()
        before = _read(site)
        await play.arrivals(plan.seconds, plan.rate_at)
        await play.last_are_seen()
        await asyncio.to_thread(site.site.wait_for_worker)
        after, counted = _read(site), ledger.until_now()
        await play.close()
        await asyncio.to_thread(watch.look_back, gateway.received)
    print(f"\n{report(counted, after.since(before), watch, Beside(rest, before, after))}")
    for service in site.containers.processes.running:
        if "Traceback" in (log := site.containers.processes.log(service)):
            print(f"\n{service} says:\n{log[log.rindex('Traceback') :][:3000]}")
    return 1 if watch.broken or ledger.errors else 0


async def _at_rest(site: Stage) -> Spent:
    """What the processes use while nobody is there."""
    before = _read(site)
    await asyncio.sleep(REST)
    return _read(site).since(before)


def _read(site: Stage) -> Reading:
    return Reading(time.monotonic(), site.cpu(), time.process_time(), site.memory())


def reachable() -> dict[str, set[str]]:
    """From each state of a token every state that it can get to by moves that NEXT allows."""
    token = import_string("queues.models.Token")
    found = {str(state): set(map(str, after)) for state, after in token.NEXT.items()}
    for _ in found:
        for state, after in found.items():
            found[state] = after.union(*(found[one] for one in after))
    return found


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")
    sys.exit(main())
