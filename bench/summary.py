"""One table of what was measured beside its aim, for the end of `make bench`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HEAD = ("what", "figure", "aim", "reached")
# As bench.live.report writes it: the name, two spaces or more, what was seen; its target.
AIMED = re.compile(r"^ *(?P<what>\S.*?) {2,}(?P<seen>\S.*?); target (?P<aim>.+)$")
NUMBER = re.compile(r"\d[\d,]*\.?\d*")


@dataclass(frozen=True)
class Figure:
    """One figure that has an aim."""

    what: str
    value: float
    aim: float
    unit: str = ""
    at_least: bool = False  # else the aim is the most that it may be

    @property
    def is_reached(self) -> bool:
        return self.value >= self.aim if self.at_least else self.value <= self.aim

    @property
    def row(self) -> tuple[str, ...]:
        sign = "at least" if self.at_least else "at most"
        unit = f" {self.unit}" if self.unit else ""
        value = f"{self.value:.2f}" if self.value < 10 else f"{self.value:,.0f}"
        reached = "yes" if self.is_reached else "NO"
        return self.what, f"{value}{unit}", f"{sign} {self.aim:g}{unit}", reached


def of_live(lines: Iterable[str]) -> Iterator[Figure]:
    """Those of the live updates' lines that name a target."""
    for line in lines:
        if found := AIMED.match(line):
            name, wanted = ("p99 ", found["aim"]) if "p99" in found["aim"] else ("", found["aim"])
            seen = found["seen"].partition(name)[2] if name else found["seen"]
            yield Figure(
                f"live: {found['what']}{', p99' if name else ''}",
                _number(seen),
                _number(wanted.removeprefix(name)),
                wanted.split()[-1] if " " in wanted else "",
                at_least="ratio" in found["what"],
            )


def _number(words: str) -> float:
    found = NUMBER.search(words)
    return float(found[0].replace(",", "")) if found else 0.0


def table(figures: Iterable[Figure]) -> str:
    rows = [HEAD, *(figure.row for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
