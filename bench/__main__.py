"""`python -m bench`: requests per second, latency, CPU and queries of what people do most.

Needs DATABASE_URL and REDIS_URL; `make bench` starts both for it. docs/performance.md explains it.
"""

import argparse
import os
import signal
import sys

import django
from django.utils.module_loading import import_string

from bench.client import Unexpected
from bench.services import CannotStart, Site, processes, running_site


def main() -> int:
    options = _options()
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
    parser.add_argument("--only", choices=["pages", "live"], help="one half of it")
    parser.add_argument("--sockets", type=int, default=1000, help="of waiting patients")
    parser.add_argument("--many", type=int, default=5000, help="sockets in one process")
    parser.add_argument(
        "--live-server", default="production", help="production or daphne, for the sockets"
    )
    parser.add_argument(
        "--live-parts", nargs="+", default=["pace", "paced", "lines"], help="or many: takes minutes"
    )
    parser.add_argument("--queries", action="store_true", help="list every statement")
    return parser.parse_args()


def _measure(site: Site, options: argparse.Namespace) -> int:
    print(import_string("bench.report.machine")(), flush=True)
    if options.only in (None, "pages"):
        measured = import_string("bench.measure.measure")(
            site, seconds=options.seconds, rounds=options.rounds, clients=options.clients
        )
        import_string("bench.report.print_all")(measured, with_queries=options.queries)
        import_string("bench.prescriptions.print_figures")(site)
        import_string("bench.limits.print_limits")(
            site, measured, seconds=options.seconds, clients=options.clients
        )
    if options.only in (None, "live"):
        import_string("bench.live.report.print_figures")(
            site,
            server=options.live_server,
            parts=options.live_parts,
            sockets=options.sockets,
            many=options.many,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
