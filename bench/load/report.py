"""What a run cost and what it showed, as tables."""

from dataclasses import dataclass
from statistics import quantiles

from bench.load.invariants import Watch
from bench.load.ledger import Ledger

PAGE_LIMIT, UPDATE_LIMIT = 0.300, 1.0  # seconds, p95
MIB = 1024**2
FEW = 5  # of so many no p95 is told


@dataclass(frozen=True)
class Spent:
    """CPU between two moments, in seconds by process."""

    seconds: float
    cpu: dict[str, float]
    client: float

    @property
    def servers(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True)
class Reading:
    """What each process has used until one moment, and what it holds."""

    at: float  # of time.monotonic()
    cpu: dict[str, float]  # seconds
    client: float
    memory: dict[str, int]  # bytes

    def since(self, before: "Reading") -> Spent:
        """Of the processes that were there before."""
        cpu = {name: self.cpu[name] - used for name, used in before.cpu.items() if name in self.cpu}
        return Spent(self.at - before.at, cpu, self.client - before.client)


@dataclass(frozen=True)
class Beside:
    """What a run of `make load` shows beside what it cost."""

    rest: Spent  # while nobody was there
    before: Reading  # when counting began
    after: Reading


def percentile(values: list[float], percent: int) -> float:
    """Seconds."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def table(ledger: Ledger, spent: Spent, watch: Watch, beside: Beside | None = None) -> str:
    consultations = ledger.counts["consultations"]
    parts = [
        _head(ledger, spent, consultations),
        _cpu(spent, consultations),
        *((_rest(beside.rest), _memory(beside.before, beside.after)) if beside else ()),
        _latencies("step", ledger.steps, PAGE_LIMIT, consultations),
        _latencies("live update", ledger.updates, UPDATE_LIMIT, consultations),
        _errors(ledger),
        _invariants(watch),
    ]
    return "\n\n".join(parts)


def _head(ledger: Ledger, spent: Spent, consultations: int) -> str:
    rows = [
        ("consultations, from the door to the paper", f"{consultations}"),
        ("consultations per minute", f"{consultations / spent.seconds * 60:.1f}"),
        ("requests per second", f"{ledger.counts['requests'] / spent.seconds:.1f}"),
        ("live messages per second, to the pages", f"{ledger.counts['messages'] / spent.seconds:.1f}"),
        ("live messages per second, from the pages", f"{ledger.counts['messages up'] / spent.seconds:.1f}"),
        ("requests per consultation", f"{ledger.counts['requests'] / max(1, consultations):.0f}"),
    ]  # fmt: skip
    return "\n".join(["| | |", "|---|--:|", *(f"| {name} | {value} |" for name, value in rows)])


def _cpu(spent: Spent, consultations: int) -> str:
    lines = ["| process | CPU ms per consultation | of the time |", "|---|--:|--:|"]
    each = max(1, consultations)
    for name, seconds in sorted(spent.cpu.items(), key=lambda row: -row[1]):
        lines.append(f"| {name} | {seconds / each * 1000:.0f} | {seconds / spent.seconds:.0%} |")
    total = spent.servers
    lines.append(
        f"| **all of them** | **{total / each * 1000:.0f}** | {total / spent.seconds:.0%} |"
    )
    client = spent.client
    lines.append(f"| (the driver) | {client / each * 1000:.0f} | {client / spent.seconds:.0%} |")
    return "\n".join(lines)


def _rest(rest: Spent) -> str:
    """What more consultations a second would share."""
    used = sorted(rest.cpu.items(), key=lambda row: -row[1])
    shares = ", ".join(f"{name} {seconds / rest.seconds:.1%}" for name, seconds in used if seconds)
    return f"At rest, nobody there: {rest.servers / rest.seconds:.1%} of the time ({shares})"


def _memory(before: Reading, after: Reading) -> str:
    """It may grow while texts and plans are learned, and must end to: compare runs of different length."""
    lines = ["| process | MiB of its own, when counting began | at the end |", "|---|--:|--:|"]
    for name, held in sorted(after.memory.items(), key=lambda row: -row[1]):
        begun = before.memory.get(name, 0)
        lines.append(f"| {name} | {begun / MIB:.1f} | {held / MIB:.1f} |")
    return "\n".join(lines)


def _latencies(title: str, steps: dict[str, list[float]], limit: float, each: int) -> str:
    lines = [
        f"| {title} | times | per consultation | p50 ms | p95 ms | p99 ms | |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for name in sorted(steps):
        values = steps[name]
        p50, p95, p99 = (percentile(values, percent) * 1000 for percent in (50, 95, 99))
        over = f"over {limit * 1000:.0f}" if p95 > limit * 1000 else ""
        lines.append(
            f"| {name} | {len(values)} | {len(values) / max(1, each):.1f} |"
            f" {p50:.0f} | {p95:.0f} | {p99:.0f} | {over} |"
        )
    return "\n".join(lines)


def _errors(ledger: Ledger) -> str:
    lines = [f"Errors: {ledger.errors.total()}"]
    lines += [f"  {times} x {what}" for what, times in ledger.errors.most_common()]
    return "\n".join([*lines, *(f"    {one}" for one in ledger.examples)])


def _invariants(watch: Watch) -> str:
    lines = [
        f"Invariants broken: {len(watch.broken)} ({watch.checks} checks in {watch.looks} looks)"
    ]
    return "\n".join([*lines, *(f"  BROKEN {name}: {how}" for name, how in watch.broken.items())])
