"""Runs the operations against the running site, in rounds, and keeps what each cost."""

from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.asking import Operation, csrf_of
from bench.client import drive
from bench.counts import Counts, count
from bench.cpu import tree_seconds
from bench.operations import EMPTY, OPERATIONS
from bench.rows import analyse
from bench.services import Site

WARM_UP = 60  # requests
HEADROOM = 2  # rows for so many times the pace of the warm-up; a round without rows ends early


@dataclass
class Cost:
    """One round of one operation."""

    requests: int
    seconds: float
    client: float  # CPU milliseconds per request, as all below
    cpu: dict[str, float]  # by process: web, worker, postgres, redis


@dataclass
class Measured:
    """All rounds of one operation: medians, because others use the machine too."""

    operation: Operation
    counts: Counts
    rounds: list[Cost] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)  # seconds

    @property
    def per_second(self) -> float:
        return median(cost.requests / cost.seconds for cost in self.rounds)

    @property
    def client(self) -> float:
        return median(cost.client for cost in self.rounds)

    def cpu(self, whose: str) -> float | None:
        """Milliseconds per request; None where the process is not on this machine."""
        costs = [cost.cpu[whose] for cost in self.rounds if whose in cost.cpu]
        return median(costs) if costs else None

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        return quantiles(self.latencies, n=100)[percent - 1] * 1000


def measure(site: Site, *, seconds: float, rounds: int, clients: int) -> list[Measured]:
    """The empty view first, then the operations. Raises Unexpected when a page answers otherwise."""
    csrf = csrf_of(site.address)
    all_of_them = [
        Measured(operation, count(operation, site.host, csrf)) for operation in [EMPTY, *OPERATIONS]
    ]
    site.wait_for_worker()
    each = seconds / rounds
    needed = {}
    for measured in all_of_them:
        warm, _latencies = _round(site, csrf, measured.operation, WARM_UP, 60.0, clients)
        needed[measured.operation] = WARM_UP + int(HEADROOM * each * warm.requests / warm.seconds)
    for _round_number in range(rounds):
        for measured in all_of_them:
            operation = measured.operation
            cost, latencies = _round(site, csrf, operation, needed[operation], each, clients)
            measured.rounds.append(cost)
            measured.latencies += latencies
    return all_of_them


def _round(
    site: Site, csrf: str, operation: Operation, how_many: int, seconds: float, clients: int
) -> tuple[Cost, list[float]]:
    requests = [ask.bytes(site.host, csrf) for ask in operation.prepare(how_many)]
    analyse()
    before = _cpu(site)
    driven = drive(site.address, requests, operation.wanted, seconds=seconds, clients=clients)
    web = tree_seconds(site.pids["web"])
    site.wait_for_worker()  # what a request leaves behind is part of its cost
    after = _cpu(site) | {"web": web}
    answers = len(driven.latencies)
    cpu = {name: (after[name] - before[name]) / answers * 1000 for name in before}
    return Cost(answers, driven.seconds, driven.cpu / answers * 1000, cpu), driven.latencies


def _cpu(site: Site) -> dict[str, float]:
    return {name: tree_seconds(pid) for name, pid in site.pids.items()}
