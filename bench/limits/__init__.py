"""What the service does beside the barest thing that could do it, in one run: a busy machine slows both.

Each module named in MEASURED has `measure(site, measured, *, seconds, clients)`, which gives Limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.module_loading import import_string

from bench.measure import Measured
from bench.services import Site
from bench.summary import Figure

MEASURED = ["bench.limits.pages", "bench.limits.papers", "bench.limits.claims"]


@dataclass(frozen=True)
class Limit:
    """One pair of figures; the more the better in both."""

    what: str
    ours: float  # a second, or a second of CPU, as `unit` says
    beside: str
    bare: float
    unit: str
    aim: float | None = None  # ours / bare is at least this; None: shown only

    @property
    def ratio(self) -> float:
        return self.ours / self.bare

    @property
    def row(self) -> tuple[str, ...]:
        reached = "" if self.aim is None else "yes" if self.ratio >= self.aim else "no"
        aim = "–" if self.aim is None else f"{self.aim:.2f}"
        return (
            self.what, f"{self.ours:,.0f}", self.beside, f"{self.bare:,.0f}", self.unit,
            f"{self.ratio:.3f}", aim, reached,
        )  # fmt: skip


HEAD = ("what", "a second", "beside", "a second", "counted in", "ratio", "aim", "reached")


def print_limits(
    site: Site, measured: list[Measured], *, seconds: float, clients: int
) -> list[Figure]:
    """As a table, with the machine's load as it was. Raises Unexpected, CannotStart."""
    limits = list(_limits(site, measured, seconds=seconds, clients=clients))
    rows = [HEAD, *(limit.row for limit in limits)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print("\nBeside the barest thing that could do it\n" + "\n".join(lines), flush=True)
    return [
        Figure(f"{one.what} / {one.beside}", one.ratio, one.aim, at_least=True)
        for one in limits
        if one.aim is not None
    ]


def _limits(
    site: Site, measured: list[Measured], *, seconds: float, clients: int
) -> Iterator[Limit]:
    for module in MEASURED:
        yield from import_string(f"{module}.measure")(
            site, measured, seconds=seconds, clients=clients
        )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return f"| {' | '.join(cells)} |"
