"""How PostgreSQL answers what people ask most, once the tables are large."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from bench import rows
from bench.client import Unexpected
from bench.counts import BRACKETS, count
from bench.limits.crowd import crowd
from bench.operations import OPERATIONS
from bench.pages import PAGES
from bench.report import COLUMN_LIST
from bench.served import serve, weights
from esanjeevani.celery_app import app as celery

CSRF = "a" * 32
MUCH = 500  # blocks of 8 kB for one statement
LARGE = 10_000  # rows: to read such a table from end to end is a mistake


def report(how_many: int) -> Iterator[str]:
    """So many people wait, and so many were served before. Raises CannotStart, Unexpected."""
    _fill(how_many)
    yield from weights()
    asked = dict(_asked())
    large = set(_large_tables())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum would have done for the rows of the last minutes
    for name, statements in asked.items():
        plans = [_plan(text) for text in statements if not text.lstrip().startswith(BRACKETS)]
        yield f"\n{name}: {len(plans)} statements, {sum(plan.blocks for plan in plans):,} blocks"
        yield from (plan.line(large) for plan in plans)


def _fill(how_many: int) -> None:
    waits, served = rows.clinics(2)
    crowd(waits, how_many)
    serve(served, how_many)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")
        cursor.execute("ANALYZE")


def _asked() -> Iterator[tuple[str, list[str]]]:
    """The statements of each operation and page, and of each sweep."""
    for operation in [*OPERATIONS, *PAGES]:
        yield operation.name, count(operation, settings.ALLOWED_HOSTS[0], CSRF).statements
    celery.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        with CaptureQueriesContext(connection) as captured:
            celery.tasks[entry["task"]]()
        yield (
            f"every {entry['schedule']:.0f} s: {entry['task']}",
            [query["sql"] for query in captured],
        )


def _large_tables() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [LARGE]
        )
        yield from (name for (name,) in cursor.fetchall())


@dataclass(frozen=True)
class Plan:
    """One statement, and what PostgreSQL did for it."""

    statement: str
    nodes: list[dict[str, Any]]  # the first is the whole

    @property
    def blocks(self) -> int:
        """Of 8 kB, read from memory or disk; 0 where it could not be run a second time."""
        return sum(int(self.nodes[0].get(f"Shared {how} Blocks", 0)) for how in ("Hit", "Read"))

    def line(self, large: set[str]) -> str:
        """A table that is read from end to end is marked, and so is what reads as much in another way."""
        walks = [
            node["Relation Name"]
            for node in self.nodes
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large
        ]
        ways = sorted({node["Index Name"] for node in self.nodes if "Index Name" in node})
        asked = " ".join(COLUMN_LIST.sub("SELECT … FROM", self.statement).split())[:90]
        mark = f"WALKS {', '.join(walks)} · " if walks else "MUCH · " if self.blocks > MUCH else ""
        return f"  {self.blocks:>7,}  {mark}{asked}  by {', '.join(ways) or '–'}"


def _plan(statement: str) -> Plan:
    """Run and undone; only explained where it cannot be done twice."""
    for options in ("ANALYZE, BUFFERS, FORMAT JSON", "FORMAT JSON"):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN ({options}) {statement}")
                found = cursor.fetchone()[0]
                transaction.set_rollback(True)
        except Error:
            continue
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        return Plan(statement, list(_nodes(plan)))
    raise Unexpected(f"Not to be explained: {statement}")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
