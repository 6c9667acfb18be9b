"""One rate of `make day`, held for a while: what it cost, what was slow, and what it broke."""

from dataclasses import dataclass
from math import sqrt

from bench.load.report import FEW, PAGE_LIMIT, UPDATE_LIMIT, Spent, percentile

KEEPS_UP = 0.8  # of those who come: fewer finished means that the line grows without end
HEAD = (
    "| came /s | finished /s | CPU ms per consultation | servers | driver | others | slowest page, p95 ms |"
    " slowest live update, p95 ms | |\n|--:|--:|--:|--:|--:|--:|---|---|---|"
)


@dataclass(frozen=True)
class Step:
    """One rate, held for a while."""

    rate: float
    spent: Spent
    others: float  # seconds of CPU that neither the site nor the driver used
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

    @property
    def page(self) -> tuple[float, str]:
        """The slowest: its p95 in seconds, and which it is."""
        return _worst(self.steps)

    @property
    def update(self) -> tuple[float, str]:
        return _worst(self.updates)

    @property
    def limits_broken(self) -> list[str]:
        found = []
        if self.page[0] > PAGE_LIMIT:
            found.append(f"page {self.page[1]!r} {self.page[0] * 1000:.0f} ms")
        if self.update[0] > UPDATE_LIMIT:
            found.append(f"live update {self.update[1]!r} {self.update[0] * 1000:.0f} ms")
        # Who come by chance leave a few under way at any moment: twice the root of their number.
        if self.finished < self.came * KEEPS_UP - 2 * sqrt(self.came):
            found.append("the line grows")
        if self.errors:
            found.append(f"{self.errors} errors")
        return found

    @property
    def row(self) -> str:
        """As a line below HEAD. Of the time, 100% is one core."""
        busy = [self.spent.servers, self.spent.client, self.others]
        cells = [
            f"{self.rate:.2f}", f"{self.carried:.2f}", f"{self.each * 1000:.0f}",
            *(f"{one / self.spent.seconds:.0%}" for one in busy),
            *(f"{seconds * 1000:.0f} {name}" for seconds, name in (self.page, self.update)),
            ", ".join(self.limits_broken) or "holds",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


def _worst(what: dict[str, list[float]]) -> tuple[float, str]:
    """The highest p95 in seconds, and whose; of what was too seldom all together is one."""
    often = {name: values for name, values in what.items() if len(values) >= FEW * 4}
    seldom = [one for name, values in what.items() if name not in often for one in values]
    if len(seldom) >= FEW * 4:
        often["(what is seldom)"] = seldom
    return max(((percentile(values, 95), name) for name, values in often.items()),
               default=(0.0, "nothing"))  # fmt: skip
