"""How long it will probably take: arithmetic only."""

from dataclasses import dataclass
from math import ceil, floor

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


def order_of_calls(turns: list[tuple[int, int, bool]], *, run: int, longest_run: int) -> list[int]:
    """Who is called when: as the claim does it, played ahead.

    `turns` are (who, priority, yields) by (priority, number); `run` is how many priority calls
    were just made in a row. Emergencies go first and do not count; after `longest_run` priority
    calls an ordinary one goes; whoever missed a call lets one other go first.
    """
    emergencies = [who for who, priority, yields in turns if priority == 0 and not yields]
    priority = [who for who, rank, yields in turns if rank == 1 and not yields]
    ordinary = [who for who, rank, yields in turns if rank == 2 and not yields]
    order = emergencies
    priority.reverse()
    ordinary.reverse()
    while priority or ordinary:
        if priority and (run < longest_run or not ordinary):
            order.append(priority.pop())
            run += 1
        else:
            order.append(ordinary.pop())
            run = 0
    order[1:1] = [who for who, _rank, yields in turns if yields]
    return order
