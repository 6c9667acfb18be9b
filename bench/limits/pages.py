"""A page beside an empty Django view, by the CPU of the process that serves both."""

from collections.abc import Iterator

from bench.limits import Limit
from bench.measure import Measured
from bench.services import Site

SHOWN = ("waiting-room page", "token create")


def measure(
    site: Site, measured: list[Measured], *, seconds: float, clients: int
) -> Iterator[Limit]:
    """Out of what was measured already."""
    del site, seconds, clients
    costs = {one.operation.name: one.cpu("web") or 0.0 for one in measured}
    for name in SHOWN:
        yield Limit(
            what=name,
            ours=1000 / costs[name],
            beside="empty view",
            bare=1000 / costs["empty view"],
            unit="a second of CPU",
        )
