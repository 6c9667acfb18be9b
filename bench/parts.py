"""The parts of `make bench`, each printed as it is measured; what has an aim is returned."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench import limits, prescriptions
from bench.live import report as live
from bench.measure import Measured, measure
from bench.report import print_all
from bench.services import Site
from bench.summary import Figure, of_live


@dataclass
class Parts:
    """Of one run, in this order. All raise CannotStart and Unexpected."""

    site: Site
    options: argparse.Namespace
    measured: list[Measured] = field(default_factory=list)

    def operations(self) -> Iterator[Figure]:
        asked = self.options
        self.measured = measure(
            self.site, seconds=asked.seconds, rounds=asked.rounds, clients=asked.clients
        )
        yield from print_all(self.measured, with_queries=asked.queries)

    def prescriptions(self) -> Iterator[Figure]:
        yield from prescriptions.print_figures(self.site)

    def limits(self) -> Iterator[Figure]:
        """Held against the operations."""
        yield from limits.print_limits(
            self.site, self.measured, seconds=self.options.seconds, clients=self.options.clients
        )

    def live(self) -> Iterator[Figure]:
        asked = self.options
        lines = live.print_figures(
            self.site,
            server=asked.live_server,
            parts=asked.live_parts,
            sockets=asked.sockets,
            many=asked.many,
        )
        yield from of_live(lines)
