"""What the people of a run saw: how long each step took, what went wrong, what they were told."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

ERRORS_KEPT = 20


@dataclass
class Told:
    """One consultation as its people saw it."""

    token: tuple[str, str] | None = None  # clinic and number
    doctors: list[str] = field(default_factory=list)  # who held it, one after the other
    was_away: bool = False  # a socket of the waiting patient was broken for a while
    talks: dict[str, list[tuple[int, str]]] = field(
        default_factory=dict
    )  # by role: id and client id
    sent: list[str] = field(default_factory=list)  # client ids that the server took
    prescription: str = ""
    is_finished: bool = False  # the doctor pressed it, and was not refused


@dataclass
class Ledger:
    """Kept by all people of a run together."""

    begun: float = field(default_factory=time.monotonic)
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds
    updates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # invariants that the people saw broken
    told: dict[str, Told] = field(default_factory=lambda: defaultdict(Told))  # by consultation
    holding: dict[str, str] = field(default_factory=dict)  # doctor: the consultation held
    moments: dict[str, float] = field(
        default_factory=dict
    )  # when something was done, until heard of

    numbers: dict[tuple[str, str], str] = field(default_factory=dict)  # who has which
    rang: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)

    def begin_to_count(self) -> None:
        """What was done and how long it took until now was the warm-up. What broke in it stays."""
        for kept in (self.steps, self.updates, self.counts):
            kept.clear()

    def until_now(self) -> "Ledger":
        """Without what will be done from now on; what will break is in both."""
        return replace(
            self,
            steps={name: list(seconds) for name, seconds in self.steps.items()},
            updates={name: list(seconds) for name, seconds in self.updates.items()},
            counts=Counter(self.counts),
        )

    def error(self, what: str, detail: str = "") -> None:
        self.errors[what] += 1
        if len(self.examples) < ERRORS_KEPT:
            at = time.monotonic() - self.begun
            self.examples.append(f"{at:.1f} s: {what}: {detail}"[:600])

    def done(self, what: str) -> None:
        """Somebody is about to do what others will be told."""
        self.moments[what] = time.monotonic()

    def heard(self, name: str, what: str) -> None:
        """One other page was told. Told twice, the first one counts."""
        done = self.moments.pop(what, None)
        if done is not None:
            self.updates[name].append(time.monotonic() - done)

    def called(self, consultation: str, asked_at: float) -> None:
        """A doctor's page shows whom it got, after having asked for somebody at `asked_at`."""
        rang_at = self.rang.pop(consultation, None)
        if rang_at is None:
            self.asked[consultation] = asked_at
        else:
            self.updates["call rings"].append(rang_at - asked_at)

    def rings(self, consultation: str) -> None:
        """A patient's page, or the health worker's, is told of the call: often before the doctor's."""
        asked_at = self.asked.pop(consultation, None)
        if asked_at is None:
            self.rang[consultation] = time.monotonic()
        else:
            self.updates["call rings"].append(time.monotonic() - asked_at)

    def hold(self, doctor: str, consultation: str) -> None:
        """A doctor's page shows this patient as the one held."""
        for other, held in self.holding.items():
            if held == consultation and other != doctor:
                self.broken.append(f"two doctors hold consultation {consultation}")
        if self.holding.get(doctor, consultation) != consultation:
            self.broken.append(f"a doctor holds two patients: {consultation}")
        self.holding[doctor] = consultation
        self.told[consultation].doctors.append(doctor)

    def let_go(self, doctor: str) -> None:
        self.holding.pop(doctor, None)

    def number(self, consultation: str, clinic: str, number: str) -> None:
        """A patient reads a token number; two patients of one clinic never read the same."""
        token = (clinic, number)
        self.told[consultation].token = token
        if self.numbers.setdefault(token, consultation) != consultation:
            self.broken.append(f"number {number} was given twice in {clinic}")
