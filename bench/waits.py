"""`python -m bench.waits`: was the wait that people were told the one that came? A simulation.

Many clinics of many kinds with a clock of their own: the same seed gives the same people. The line is
called by the rule of the claim (queues.wait.order_of_calls), what is told by queues.wait.expected_wait,
what is learned by queues.wait.learn. Nothing else of the site runs.
"""

import argparse
import heapq
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from math import log, sqrt

from queues.wait import (
    LAST_CALLS,
    LEARNED,
    SHORT,
    Call,
    Wait,
    ahead_on_arrival,
    expected_wait,
    learn,
    order_of_calls,
)

MINUTE, HOUR = 60.0, 3600.0
PRIORITY_RUN = 3
CALL_WINDOW = 120.0  # seconds


@dataclass(frozen=True)
class Kind:
    """One kind of clinic. Times in seconds."""

    name: str
    doctors: int = 3
    mean: float = 6.5 * MINUTE  # of a consultation
    variation: float = 0.6  # its standard deviation against its mean
    load: float = 0.95  # patients that come against patients that can be seen
    burst: float = 0.0  # share of all who come in the first half hour
    priority: float = 0.15
    emergency: float = 0.01
    no_show: float = 0.04
    leaves: float = 0.04
    comes_and_goes: bool = False  # doctors
    pauses: bool = False
    hours: float = 6.0
    usual_minutes: int = 6


KINDS = [
    Kind("steady, one doctor", doctors=1),
    Kind("steady, three doctors"),
    Kind("steady, twenty doctors", doctors=20, hours=4.0),
    Kind("more come than can be seen", load=1.3),
    Kind("everybody at opening", burst=0.5),
    Kind("doctors come and go", doctors=5, comes_and_goes=True),
    Kind("pauses", pauses=True),
    Kind("many priorities", priority=0.4),
    Kind("many absent", no_show=0.15, leaves=0.1),
    Kind("slow and irregular", mean=12 * MINUTE, variation=0.9),
    Kind("fast", mean=3 * MINUTE, usual_minutes=8),
    Kind("all of it", doctors=4, burst=0.3, comes_and_goes=True, pauses=True, no_show=0.08),
]


@dataclass
class Person:
    """One place in the line."""

    number: int
    priority: int
    issued: float
    absent: bool
    leaves_at: float
    told: Wait | None
    served_before: int
    called: float | None = None
    passes: int = 0
    yields: bool = False


@dataclass
class Desk:
    """One doctor's day: on duty from when to when, with pauses."""

    begins: float
    ends: float
    pauses: list[tuple[float, float]]
    person: Person | None = None
    free_at: float = 0.0

    def works(self, now: float) -> bool:
        return self.begins <= now < self.ends and not any(a <= now < b for a, b in self.pauses)


@dataclass
class Clinic:
    """Plays one day of one clinic."""

    kind: Kind
    chance: random.Random
    line: dict[int, Person] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    run: int = 0
    everybody: list[Person] = field(default_factory=list)

    def play(self) -> list[Person]:
        kind, chance = self.kind, self.chance
        # Clinics of one kind differ too.
        self.mean = kind.mean * chance.uniform(0.8, 1.25)
        self.desks = [self._desk(number) for number in range(kind.doctors)]
        events: list[tuple[float, int, str, int]] = []
        order = count()
        for at in self._arrivals():
            heapq.heappush(events, (at, next(order), "comes", 0))
        for number, desk in enumerate(self.desks):
            for at in (desk.begins, *(end for _begin, end in desk.pauses)):
                heapq.heappush(events, (at, next(order), "looks", number))
        while events:
            now, _order, what, number = heapq.heappop(events)
            if what == "comes":
                self._comes(now)
            desk = self.desks[number]
            if what == "free":
                desk.person = None
            for index, one in enumerate(self.desks):
                if one.person is None and one.works(now) and one.free_at <= now:
                    for at, happens in self._call(index, now):
                        heapq.heappush(events, (at, next(order), happens, index))
        return self.everybody

    def _desk(self, number: int) -> Desk:
        kind, chance = self.kind, self.chance
        end, pauses = kind.hours * HOUR, []
        begin = 0.0
        if kind.comes_and_goes and number:
            begin = chance.uniform(0, 0.4) * end
            end = begin + chance.uniform(0.3, 0.6) * end
        if kind.pauses:
            at = chance.uniform(HOUR, end - HOUR)
            pauses.append((at, at + chance.uniform(8, 20) * MINUTE))
        return Desk(begin, end, pauses)

    def _arrivals(self) -> Iterator[float]:
        kind, chance = self.kind, self.chance
        hours = sum(desk.ends - desk.begins for desk in self.desks)
        everybody = hours / (self.mean + 50) * kind.load
        early = everybody * kind.burst
        for _ in range(int(early)):
            yield chance.uniform(0, 0.5 * HOUR)
        for _ in range(int(everybody - early)):
            yield chance.uniform(0, kind.hours * HOUR * 0.95)

    def _comes(self, now: float) -> None:
        kind, chance = self.kind, self.chance
        drawn = chance.random()
        priority = (
            0 if drawn < kind.emergency else 1 if drawn < kind.emergency + kind.priority else 2
        )
        leaves = (
            now + chance.expovariate(1 / (25 * MINUTE)) if chance.random() < kind.leaves else 1e9
        )
        person = Person(
            number=len(self.everybody) + 1,
            priority=priority,
            issued=now,
            absent=chance.random() < kind.no_show,
            leaves_at=leaves,
            told=self._told(now, priority),
            served_before=sum(call.ended <= now for call in self.calls),
        )
        self.everybody.append(person)
        self.line[person.number] = person

    def _told(self, now: float, priority: int) -> Wait | None:
        self._forget_who_left(now)
        working = [desk for desk in self.desks if desk.works(now)]
        counts = [sum(one.priority == rank for one in self.line.values()) for rank in range(3)]
        done = sorted((one for one in self.calls if one.ended <= now), key=lambda call: call.ended)[
            -LAST_CALLS:
        ]
        return expected_wait(
            ahead=ahead_on_arrival(counts, priority, PRIORITY_RUN),
            priority=priority,
            doctors=len(working),
            busy=sum(desk.person is not None for desk in working),
            pace=learn(done, usual_seconds=self.kind.usual_minutes * MINUTE),
        )

    def _forget_who_left(self, now: float) -> None:
        for person in [one for one in self.line.values() if one.leaves_at <= now]:
            del self.line[person.number]

    def _call(self, index: int, now: float) -> Iterator[tuple[float, str]]:
        self._forget_who_left(now)
        if not self.line:
            return
        rows = sorted(self.line.values(), key=lambda one: (one.priority, one.number))
        turns = [(one.number, one.priority, one.yields) for one in rows]
        person = self.line.pop(order_of_calls(turns, run=self.run, longest_run=PRIORITY_RUN)[0])
        if person.priority:
            self.run = self.run + 1 if person.priority == 1 else 0
        if person.called is None:
            person.called = now
        for one in (person, *self.line.values()):
            one.yields = False  # one other has gone first
        desk, chance = self.desks[index], self.chance
        desk.person = person
        if person.absent:
            ended = now + CALL_WINDOW
            person.passes += 1
            if person.passes < 2:
                person.yields = True
                self.line[person.number] = person
        else:
            sigma = sqrt(log(1 + self.kind.variation**2))
            took = chance.lognormvariate(log(self.mean) - sigma**2 / 2, sigma)
            ended = now + min(CALL_WINDOW * 0.8, chance.expovariate(1 / 20)) + took
        self.calls.append(Call(index, person.issued, now, ended, person.priority))
        desk.free_at = ended + min(120, chance.expovariate(1 / 30))
        yield ended, "ended"
        yield desk.free_at, "free"


@dataclass
class Score:
    """How right what was told was, for one kind of clinic."""

    told: int = 0
    within: int = 0
    early: int = 0  # called sooner than told
    late: int = 0
    wide: int = 0  # of those told once enough were served: more than a factor of two
    learned: int = 0
    learned_within: int = 0

    def add(self, person: Person) -> None:
        if person.told is None or person.called is None:
            return
        wait = (person.called - person.issued) / MINUTE
        low, high = person.told.low, person.told.high
        self.told += 1
        is_right = low <= wait <= high
        self.within += is_right
        self.early += wait < low
        self.late += wait > high
        if person.served_before >= LEARNED:
            self.learned += 1
            self.learned_within += is_right
            self.wide += high > SHORT and high > 2 * low


def simulate(days: int, seed: int = 1) -> dict[str, Score]:
    """So many days of each kind."""
    scores: dict[str, Score] = defaultdict(Score)
    for kind in KINDS:
        for day in range(days):
            chance = random.Random(f"{seed} {kind.name} {day}")
            for person in Clinic(kind, chance).play():
                scores[kind.name].add(person)
                scores["everybody"].add(person)
    return dict(scores)


def table(scores: dict[str, Score]) -> str:
    lines = [
        "| clinic | told | within the range | sooner | later | within, once 20 were served |"
        " wider than a factor of 2 then |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, score in scores.items():
        told, learned = max(1, score.told), max(1, score.learned)
        lines.append(
            f"| {name} | {score.told} | {score.within / told:.0%} | {score.early / told:.0%} |"
            f" {score.late / told:.0%} | {score.learned_within / learned:.0%} |"
            f" {score.wide / learned:.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.waits", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=10, help="of each kind of clinic")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(table(simulate(options.days, options.seed)))
    sys.exit(0)
