"""How long it will probably take: arithmetic only."""

from collections import deque
from dataclasses import dataclass
from math import ceil, floor

Turn = tuple[int, int, bool]  # who, priority, lets one other go first

# The range shown around the expected wait.
NARROW, WIDE = 0.7, 1.3


@dataclass(frozen=True)
class Wait:
    """A range in whole minutes."""

    low: int
    high: int


def expected_wait(*, ahead: int, doctors: int, busy: int, seconds_each: float) -> Wait | None:
    """The wait of somebody with `ahead` people in front; None when no doctor is there to call.

    Before them `ahead + busy - doctors + 1` consultations must end, the first of which is on
    average half over; `doctors` of them end in every `seconds_each`.
    """
    if doctors < 1:
        return None
    endings = max(0.0, ahead + busy - doctors + 0.5)
    minutes = endings * seconds_each / doctors / 60
    return Wait(low=floor(minutes * NARROW), high=max(2, ceil(minutes * WIDE)))


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
