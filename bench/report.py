"""The measurements as a table, and one intake beside its aim."""

import os
import platform
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from bench.measure import Measured
from bench.operations import HUB, OPD
from bench.summary import Figure

# A public Django service with token queues, and a fifth of it (docs/performance.md).
PEER_MS, PEER_QUERIES = 80, 156
COLUMN_LIST = re.compile(r'^SELECT ".*? FROM')
AIM_MS, AIM_QUERIES = 16, 30
COLUMNS = [
    "operation", "queries", "+ brackets", "1000 calls", "requests/s", "p50 ms", "p95 ms",
    "CPU ms: pages", "as empty views", "PostgreSQL", "worker", "Redis", "(client)",
]  # fmt: skip


def machine() -> str:
    """What it runs on. The load is that of others, if asked before anything is measured."""
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    return (
        f"{datetime.now():%Y-%m-%d}, {cores} cores ({', '.join(models)}), "
        f"Python {platform.python_version()}, load at the start {load}"
    )


def table(measured: list[Measured]) -> str:
    rows = [COLUMNS, *(_row(one, measured[0]) for one in measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + (":" if column else "-")
                                   for column, width in enumerate(widths)) + "|")  # fmt: skip
    return "\n".join(lines)


def _row(one: Measured, empty: Measured) -> list[str]:
    return [
        one.operation.name,
        str(one.counts.queries),
        str(one.counts.brackets),
        f"{one.counts.calls / 1000:.1f}",
        f"{one.per_second:.0f}",
        f"{one.percentile(50):.1f}",
        f"{one.percentile(95):.1f}",
        _ms(one.cpu("web")),
        f"{_ratio([one], empty):.1f}",
        *(_ms(one.cpu(name)) for name in ("postgres", "worker", "redis")),
        _ms(one.client),
    ]


def _line(row: list[str], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _ratio(some: Iterable[Measured], empty: Measured) -> float:
    return sum(one.cpu("web") or 0 for one in some) / (empty.cpu("web") or 1)


def hub_intake(measured: list[Measured]) -> str:
    """What one patient of a health centre costs, from the number to the place in the hub's line."""
    parts = [one for one in measured if one.operation.part_of == HUB]
    return f"""\
One hub intake: {"; ".join(one.operation.name for one in parts)}
  CPU ms of the pages {sum(one.cpu("web") or 0 for one in parts):6.1f}, \
{_ratio(parts, measured[0]):.0f} empty views
  queries             {sum(one.counts.queries for one in parts):6}, \
brackets {sum(one.counts.brackets for one in parts)}, \
{sum(one.counts.calls for one in parts) / 1000:.0f} thousand function calls"""


def intake(measured: list[Measured]) -> str:
    """What one newcomer costs until the token is there."""
    parts = [one for one in measured if one.operation.part_of == OPD]
    each_round = zip(*([cost.cpu["web"] for cost in one.rounds] for one in parts), strict=True)
    rounds = [sum(costs) for costs in each_round]
    beside = [
        f"{name} {_ms(sum(one.cpu(key) or 0 for one in parts))}"
        for key, name in {"postgres": "PostgreSQL", "worker": "worker", "redis": "Redis"}.items()
    ]
    return f"""\
One intake: {"; ".join(one.operation.name for one in parts)}
                       here   aim  peer
  CPU ms of the pages {sum(one.cpu("web") or 0 for one in parts):6.1f} {AIM_MS:5} {PEER_MS:5}
  queries             {sum(one.counts.queries for one in parts):6} {AIM_QUERIES:5} {PEER_QUERIES:5}
The CPU is that of {_ratio(parts, measured[0]):.0f} empty views; \
in the rounds it was {min(rounds):.1f} to {max(rounds):.1f} ms.
Around the queries {sum(one.counts.brackets for one in parts)} brackets; \
{sum(one.counts.calls for one in parts) / 1000:.0f} thousand function calls.
CPU ms beside the pages: {", ".join(beside)}."""


def query_list(measured: list[Measured]) -> str:
    """Every statement of every operation, each shortened to a line."""
    lines = []
    for one in measured:
        lines.append(f"\n{one.operation.name}")
        lines += [
            f"  {number:2} {COLUMN_LIST.sub('SELECT … FROM', text)[:200]}"
            for number, text in enumerate(one.counts.statements, 1)
        ]
    return "\n".join(lines)


def print_all(measured: list[Measured], *, with_queries: bool) -> list[Figure]:
    print(f"\n{table(measured)}\n\n{intake(measured)}\n\n{hub_intake(measured)}", flush=True)
    if with_queries:
        print(query_list(measured))
    parts = [one for one in measured if one.operation.part_of == OPD]
    return [
        Figure(
            "one intake: CPU of the pages", sum(one.cpu("web") or 0 for one in parts), AIM_MS, "ms"
        ),
        Figure("one intake: queries", sum(one.counts.queries for one in parts), AIM_QUERIES),
    ]
