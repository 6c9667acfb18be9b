"""How `make day` looks for what the machine carries, and what it says of it."""

import pytest

from bench.load.climb import next_rate
from bench.load.report import Spent
from bench.load.step import Step
from bench.load.verdict import PEAK_RATE, SOCKET_MINUTES, verdict


def a_step(rate: float, *, page: float = 0.1, others: float = 0.0, finished: int = 40) -> Step:
    """Of a hundred seconds, in which a consultation costs the site one second of CPU."""
    spent = Spent(100.0, {"web": finished * 0.7, "postgres": finished * 0.3}, client=5.0)
    return Step(rate, spent, others, 40, finished, {"desk: page": [page] * 40}, {}, errors=0)


def what_is_tried(carries: float, first: float, most: float = 4.0) -> list[float]:
    """The rates, in order, at a machine that holds every rate up to `carries`."""
    tried: list[float] = []
    rate: float | None = first
    while rate:
        tried.append(rate)
        held = [one for one in tried if one <= carries]
        rate = next_rate(held, [one for one in tried if one > carries], most)
        assert len(tried) < 20
    return tried


@pytest.mark.parametrize("first", [0.05, 0.3, 3.0])
@pytest.mark.parametrize("carries", [0.11, 0.9, 1.7])
def test_it_comes_close_from_below_and_from_above(first: float, carries: float) -> None:
    tried = what_is_tried(carries, first)
    held = max(rate for rate in tried if rate <= carries)
    assert held <= carries <= held * 1.1
    assert len(tried) <= 10


def test_what_broke_is_tried_a_second_time_lower() -> None:
    assert next_rate([], [0.4], 4.0) == 0.2
    assert next_rate([0.2], [0.8], 4.0) == pytest.approx(0.4)


def test_nobody_is_asked_for_who_is_not_there() -> None:
    assert what_is_tried(carries=100, first=0.5, most=3.0) == [0.5, 1.0, 2.0, 3.0]


def test_a_step_breaks_on_what_is_slow_what_grows_and_what_fails() -> None:
    assert a_step(0.4).limits_broken == []
    assert a_step(0.4, page=0.301).limits_broken == ["page 'desk: page' 301 ms"]
    assert a_step(0.4, finished=15).limits_broken == ["the line grows"]


def test_the_verdict_names_what_was_carried_and_what_limits() -> None:
    words = verdict([a_step(0.4), a_step(0.8, page=0.5), a_step(0.56, page=0.4)], 0.01, cores=2)
    assert (
        f"0.40 come and 0.40 are finished with a second within all limits, {0.4 / PEAK_RATE:.0%}"
        in words
    )
    assert "What limits: at 0.56 a second page 'desk: page' 400 ms, with 20% of the cores" in words
    assert (
        f"Reckoned without the driver, the cores 70% busy: {1.4 / (1 + 0.01 * SOCKET_MINUTES):.2f} a"
        in words
    )
    assert "OTHERS" not in words


def test_the_verdict_says_what_was_not_seen_and_who_disturbed() -> None:
    words = verdict([a_step(0.4, page=0.5, others=60.0)], 0.0, cores=2, ended="Nobody came.")
    assert "no rate kept all limits" in words
    assert "Nobody came." in words
    assert "OTHERS USED 30% OF THE CORES" in words
    assert "nothing that was tried" in verdict([a_step(0.4)], 0.0, cores=2)
