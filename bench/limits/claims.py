"""Claims per second: in pgbench, through a page that does nothing else, and through the doctor's own.

All run the same statement (queues/claim.py). In pgbench and on the plain page whoever was called joins
the end of the line again at once, so that its length stays. Only beside a long transaction each is called
once and is done then, as on a clinic's day: what somebody leaves in the tables counts there. What is
compared takes turns.
"""

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median

import psycopg
from django.db import connection
from django.utils import timezone

from bench import rows
from bench.asking import Ask, csrf_of
from bench.claim_page import JOINS_AGAIN, path_of
from bench.client import Wanted, drive
from bench.limits import Limit
from bench.limits.crowd import crowd
from bench.measure import Measured
from bench.operations import OPERATIONS
from bench.services import CannotStart, Site, claim_pages
from queues.actions import put_heads_forward
from queues.claim import claim_text
from queues.models import Clinic

SHORT, LONG = 1_000, 1_000_000
A_SECOND = 8_000  # claims, of which this many or fewer are made
DONE = "UPDATE queue_token SET state = 'done', ended_at = clock_timestamp() WHERE id = %(token)s"
ROUNDS = 3
DOCTORS_PER_CLIENT = 200
HEADS_EVERY = 0.2  # seconds
SAME = 1 / 1.3  # what counts as the same cost
TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def measure(
    site: Site, measured: list[Measured], *, seconds: float, clients: int
) -> Iterator[Limit]:
    """Raises CannotStart, Unexpected."""
    del measured
    each = seconds / ROUNDS
    short, long, once = (Line(site, clinic, clients, each) for clinic in rows.clinics(3))
    crowd(short.clinic, SHORT)
    crowd(long.clinic, LONG)
    yield from _by_length(short, long)
    # Nobody with priority: ten thousand of them at once would keep the head back, and no clinic has them.
    crowd(once.clinic, round(2 * seconds * A_SECOND), with_priority=False)
    yield from _beside_a_long_transaction(site, once)
    yield from _through_pages(site, short)


@dataclass
class Line:
    """One clinic's line, from which as many doctors as there are clients claim."""

    site: Site
    clinic: Clinic
    clients: int
    seconds: float

    def __post_init__(self) -> None:
        staff = rows.doctors(self.clinic, self.clients * DOCTORS_PER_CLIENT)
        self.doctors = [doctor.pk for doctor in staff]

    def pgbench(self, then: str = JOINS_AGAIN) -> float:
        """Claims a second, `then` what becomes of whoever was called. Raises CannotStart."""
        found = shutil.which("pgbench")
        if not found:
            raise CannotStart("pgbench is not here. Debian: apt-get install postgresql")
        today = f"date '{timezone.localdate()}'"
        words = {"clinic": self.clinic.pk, "doctor": ":doctor", "today": today}
        words |= {"now": "clock_timestamp()", "token": ":called_id"}
        claim, after = (text % words for text in (claim_text(), then))
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            turn = f"{self.clients} * random(0, {DOCTORS_PER_CLIENT - 1})"
            script.write(f"\\set doctor {self.doctors[0]} + :client_id + {turn}\n")
            script.write(f"BEGIN;\n{claim}\n\\gset called_\n{after};\nCOMMIT;\n")
            script.flush()
            command = [
                found, "--no-vacuum", "--protocol=prepared", f"--client={self.clients}",
                f"--time={round(self.seconds) or 1}",
                f"--file={script.name}", self.site.environment["DATABASE_URL"],
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True)
        tps = TPS.search(done.stdout)
        if done.returncode or not tps:
            raise CannotStart(f"pgbench failed:\n{done.stdout}{done.stderr}")
        return float(tps[1])

    def plain_page(self, address: tuple[str, int]) -> float:
        """Claims a second through a page that does nothing else. Raises Unexpected."""
        host = f"{address[0]}:{address[1]}"
        asks = cycle(
            Ask(path_of(self.clinic.pk, doctor)).bytes(host, "") for doctor in self.doctors
        )
        return _rate(self, address, islice(asks, 100_000), Wanted(200))


def _by_length(short: Line, long: Line) -> Iterator[Limit]:
    pairs = [(short.pgbench(), long.pgbench()) for _round in range(ROUNDS)]
    yield Limit(
        what=f"claim, {LONG:,} wait",
        ours=median(pair[1] for pair in pairs),
        beside=f"{SHORT:,} wait",
        bare=median(pair[0] for pair in pairs),
        unit="claims, pgbench",
        aim=SAME,
    )


def _beside_a_long_transaction(site: Site, line: Line) -> Iterator[Limit]:
    """The longer it is open, the more dead rows lie where the line begins: all rounds in one."""
    with _heads_put_forward():
        quiet = median(line.pgbench(DONE) for _round in range(ROUNDS))
        with _open_transaction(site):
            beside = [line.pgbench(DONE) for _round in range(ROUNDS)]
    yield Limit(
        what="claim, a long transaction open",
        ours=beside[-1],  # the last: what piled up until then
        beside="none open",
        bare=quiet,
        unit="claims, pgbench",
        aim=SAME,
    )


@contextmanager
def _open_transaction(site: Site) -> Iterator[None]:
    """Somebody's report that takes its time."""
    with psycopg.connect(site.environment["DATABASE_URL"]) as report:
        report.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        report.execute("SELECT COUNT(*) FROM queue_clinic")
        yield


@contextmanager
def _heads_put_forward() -> Iterator[None]:
    """As the sweep does every five seconds, for lines that move a thousandth as fast as this one."""
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(HEADS_EVERY):
            put_heads_forward()
        connection.close()

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    try:
        yield
    finally:
        over.set()
        sweeping.join()


def _through_pages(site: Site, line: Line) -> Iterator[Limit]:
    """By as many processes as there are cores, each round after one of pgbench."""
    (doctors_own,) = (one for one in OPERATIONS if one.name == "call next")
    bare, plain, own = [], [], []
    with claim_pages(site) as address:
        csrf, host = csrf_of(address), f"{address[0]}:{address[1]}"
        for _round in range(ROUNDS):
            asks = doctors_own.prepare(max(60, int(300 * line.seconds)))
            bare.append(line.pgbench())
            plain.append(line.plain_page(address))
            requests = (ask.bytes(host, csrf) for ask in asks)
            own.append(_rate(line, address, requests, doctors_own.wanted))
    for what, rates, aim in (
        ("claim, plain page", plain, 1 / 4),
        ("claim, the doctor's page", own, 1 / 10),
    ):
        yield Limit(what, median(rates), "pgbench, same SQL", median(bare), "claims", aim)


def _rate(line: Line, address: tuple[str, int], requests: Iterator[bytes], wanted: Wanted) -> float:
    driven = drive(address, requests, wanted, seconds=line.seconds, clients=line.clients)
    return len(driven.latencies) / driven.seconds
