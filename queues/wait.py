"""How long it will probably take: arithmetic only. `python -m bench.waits` holds it against what comes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from statistics import NormalDist, fmean, pvariance

Turn = tuple[int, int, bool]  # who, priority, lets one other go first

LAST_CALLS = 100  # a clinic's pace is learned from so many
USUAL_COUNTS_AS = 5  # calls: before any was made, the clinic's usual minutes stand
USUAL_GAP = 45.0  # seconds: the answer is waited for, something is finished afterwards
USUAL_VARIATION = 0.6  # a consultation's standard deviation against its mean
LONGEST_GAP = (
    180.0  # seconds between two patients; a longer one was a pause, and pauses are counted apart
)
UNSURE = 0.2  # of the wait: doctors come and go, people leave and break in
EIGHT_OF_TEN = 1.28  # standard deviations to both sides of the middle
LEARNED = 20  # calls, from which on the range is at most WIDEST wide
WIDEST = 2.0
MOST = 0.6  # of those told: whoever hears "soon" is seldom disappointed
IN_TIME = 0.85  # of priority patients who come while somebody waits
LONG = 120  # minutes: a range that ends later is told in half hours, here and in static/js/wait.js
SHORT = 5  # minutes: a range that ends here says "now or soon", however low it begins


@dataclass(frozen=True)
class Wait:
    """A range in whole minutes."""

    low: int
    high: int

    @property
    def is_long(self) -> bool:
        return self.high > LONG

    @property
    def hours(self) -> tuple[str, str]:
        """The range in hours and halves, rounded outwards: ("1½", "3")."""
        return _hours(max(1, self.low // 30)), _hours(ceil(self.high / 30))


@dataclass(frozen=True)
class Call:
    """One call of the past. Times in seconds of any clock."""

    doctor: int
    issued: float
    called: float
    ended: float
    priority: int = 2


@dataclass(frozen=True)
class Pace:
    """How a clinic's doctors get on with their patients."""

    seconds: float  # from one call of a doctor's to the next, while somebody waits
    variation: float = USUAL_VARIATION
    calls: int = 0  # learned from so many
    overtaking: float = 0.0  # of the calls: priority patients who came while others waited


def _hours(halves: int) -> str:
    return f"{halves // 2 or ''}{'½' if halves % 2 else ''}"


def learn(calls: Sequence[Call], *, usual_seconds: float) -> Pace:
    """From a clinic's calls that ended last, answered or not.

    Not from those begun last: of them the short ones have ended and the long ones have not.
    A call takes a doctor from the moment it is made until the next one: the answer is waited for,
    the consultation lasts, something is finished afterwards. What a doctor idled because nobody had
    come yet is not part of it.
    """
    lasted = [call.ended - call.called for call in calls]
    gaps, last = [], dict[int, Call]()
    in_order = sorted(calls, key=lambda call: call.called)
    for call in in_order:
        before = last.get(call.doctor)
        if before is not None:
            gap = call.called - max(before.ended, call.issued)
            gaps.append(min(max(gap, 0.0), LONGEST_GAP))
        last[call.doctor] = call
    gap = fmean(gaps) if gaps else 0.0
    known = len(calls)
    seconds = ((usual_seconds + USUAL_GAP) * USUAL_COUNTS_AS + sum(lasted) + known * gap) / (
        USUAL_COUNTS_AS + known
    )
    own = sqrt(pvariance(lasted)) / seconds if known > 1 else USUAL_VARIATION
    variation = (USUAL_VARIATION * USUAL_COUNTS_AS + own * known) / (USUAL_COUNTS_AS + known)
    begun = in_order[0].called if calls else 0.0
    # Of those who come while somebody waits, some are too late to be called before them.
    came = IN_TIME * sum(call.priority == 1 and call.issued >= begun for call in in_order)
    overtaking = min(0.75, came / (USUAL_COUNTS_AS + known))  # one of four is an ordinary one
    return Pace(seconds, variation, known, overtaking)


def ahead_on_arrival(waiting: Sequence[int], priority: int, longest_run: int) -> int:
    """How many of those who wait, counted by priority, are called before a newcomer."""
    emergencies, before, ordinary = waiting
    if priority == 0:
        return emergencies
    if priority == 1:
        return emergencies + before + min(ordinary, before // longest_run)
    return emergencies + ordinary + min(before, (ordinary + 1) * longest_run)


def expected_wait(
    *, ahead: int, doctors: int, busy: int, pace: Pace, priority: int = 2
) -> Wait | None:
    """The range in which eight of ten of those will be called who have `ahead` people before them.

    None when no doctor is there to call. Before the call `ahead + busy - doctors + 1` doctors must
    become free, `doctors` of them in every `pace.seconds`. The sum of so many consultations spreads
    by the square root of their number; what is not known about the clinic spreads in proportion.
    """
    if doctors < 1:
        return None
    free = ahead + busy - doctors + 1
    if free <= 0:
        return Wait(0, 2)
    overtaken = 1 - pace.overtaking if priority == 2 else 1.0
    # Of one doctor the consultation under way is on average half over, less when they vary much;
    # of many doctors somebody is always about to end.
    endings = free / overtaken - (1 - pace.variation**2) / 2 / doctors
    middle = endings * pace.seconds / doctors / 60
    by_chance = pace.variation**2 / endings
    not_known = UNSURE**2 + pace.variation**2 / (USUAL_COUNTS_AS + pace.calls)
    return _range(middle, log(1 + by_chance + not_known), is_learned=pace.calls >= LEARNED)


def _range(mean: float, spread: float, *, is_learned: bool) -> Wait:
    """Minutes, as a lognormal has them; `spread` is its variance.

    Where eight of ten do not fit into a factor of WIDEST, that factor around the middle; or the short
    range where most of them are in it.
    """
    median = NormalDist(log(mean) - spread / 2, sqrt(spread))
    low, high = (exp(median.mean + side * median.stdev) for side in (-EIGHT_OF_TEN, EIGHT_OF_TEN))
    if not is_learned:
        return Wait(floor(low), max(2, ceil(high)))
    if high > low * WIDEST:
        half = log(WIDEST) / 2
        if median.cdf(log(SHORT)) > MOST:
            return Wait(0, max(2, min(SHORT, ceil(high))))
        low, high = (exp(median.mean + side) for side in (-half, half))
    least = max(1, round(low))
    return Wait(least, min(ceil(high), int(least * WIDEST)))


def order_of_calls(turns: list[Turn], *, run: int, longest_run: int) -> list[int]:
    """Who is called when: as the claim does it, played ahead.

    `turns` are by (priority, number); `run` is how many priority calls were just made in a row.
    Emergencies go first and do not count; after `longest_run` priority calls an ordinary one goes;
    whoever missed a call lets one other go first and is then in line again.
    """
    staying = [turn for turn in turns if not turn[2]]
    first, run = _play(staying or turns, run, longest_run, calls=1)
    rest, _run = _play([turn for turn in turns if turn[0] not in first], run, longest_run)
    return first + rest


def _play(
    turns: list[Turn], run: int, longest_run: int, calls: int | None = None
) -> tuple[list[int], int]:
    emergencies, priority, ordinary = (
        deque(who for who, rank, _yields in turns if rank == wanted) for wanted in range(3)
    )
    order: list[int] = []
    while len(order) < (len(turns) if calls is None else min(calls, len(turns))):
        if emergencies:
            order.append(emergencies.popleft())
        elif priority and (run < longest_run or not ordinary):
            order.append(priority.popleft())
            run += 1
        else:
            order.append(ordinary.popleft())
            run = 0
    return order, run
