"""`python -m bench`: requests per second, latency, CPU and queries of what people do most.

Needs DATABASE_URL and REDIS_URL; `make bench` starts both for it. docs/performance.md explains it.
"""

import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass

import django
from django.utils.module_loading import import_string

from bench.client import Unexpected
from bench.services import CannotStart, Site, processes, running_site
from bench.summary import Figure, table


@dataclass(frozen=True)
class Part:
    """One part of it, as bench.parts has it."""

    name: str
    half: str  # --only
    seconds: float  # that it needs on two cores with nothing else to do


PARTS = [
    Part("operations", "pages", 150),
    Part("prescriptions", "pages", 30),
    Part("limits", "pages", 90),
    Part("live", "live", 150),
]


def main() -> int:
    options = _options()
    options.begun = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _frame: sys.exit(128 + which))
    try:
        with running_site() as site:
            # Settings are read from the environment, so our modules that need Django come after it.
            os.environ.update(site.environment)
            django.setup()
            import_string("bench.rows.tables")()
            with processes(site):
                return _measure(site, options)
    except (CannotStart, Unexpected) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6, help="per operation, over all rounds")
    parser.add_argument("--rounds", type=int, default=3, help="the median of these is reported")
    parser.add_argument("--clients", type=int, default=4, help="each asks as soon as answered")
    parser.add_argument("--minutes", type=float, default=10, help="for everything, at most")
    parser.add_argument("--only", choices=["pages", "live"], help="one half of it")
    parser.add_argument("--sockets", type=int, default=1000, help="of waiting patients")
    parser.add_argument("--many", type=int, default=5000, help="sockets in one process")
    parser.add_argument(
        "--live-server", default="production", help="production or daphne, for the sockets"
    )
    parser.add_argument("--live-parts", nargs="+", default=["pace", "paced", "lines", "many"])
    parser.add_argument("--queries", action="store_true", help="list every statement")
    return parser.parse_args()


def _measure(site: Site, options: argparse.Namespace) -> int:
    """Part after part; what there is no time left for, or what fails, is said to be missing."""
    print(import_string("bench.report.machine")(), flush=True)
    parts = import_string("bench.parts.Parts")(site, options)
    figures: list[Figure] = []
    missing: list[str] = []
    ends, slow = options.begun + options.minutes * 60, 1.0
    for part in PARTS:
        begun = time.monotonic()
        if options.only not in (None, part.half):
            continue
        if begun + part.seconds * slow > ends:
            missing.append(f"{part.name} (no time was left)")
            continue
        try:
            figures.extend(getattr(parts, part.name)())  # keeps what came before something failed
        except (CannotStart, Unexpected) as error:
            missing.append(f"{part.name} ({error})")
        took = time.monotonic() - begun
        slow = max(slow, took / part.seconds)
        print(f"({part.name}: {took:.0f} s)", flush=True)
    took = (time.monotonic() - options.begun) / 60
    print(f"\nEverything that has an aim, after {took:.1f} minutes\n{table(figures)}", flush=True)
    for words in missing:
        print(f"MISSING: {words}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
