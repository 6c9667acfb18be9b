"""The call's figures on this machine, for docs/calls.md: `make measure-call`. Not a test: it asserts nothing.

Both browsers, coturn and the site share the machine, so the times hold their CPU too.
"""

import statistics
import time
from pathlib import Path

import pytest

from deploy.trial import ROOT
from tests.browser.test_call import a_server, clinic, consultation, turn
from tests.browser.test_call_network import away, line, no_picture_travels, people
from tests.calling import both_in, until

__all__ = ["away", "clinic", "consultation", "line", "people", "turn"]
pytestmark = [pytest.mark.chromium, pytest.mark.coturn, pytest.mark.redis]
TIMES = 5


def say(what: str, seconds: list[float]) -> None:
    print(f"\n{what}: median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s")


def first_frames(people) -> list[float]:
    """Seconds from the moment the second page began to load until each saw the other."""
    doctor, patient = people
    began = patient.page.evaluate("performance.timeOrigin")
    for person in people:
        until(lambda person=person: person.page.evaluate("window.firstFrameAt"), 60)
    return [(person.page.evaluate("firstFrameAt") - began) / 1000 for person in (doctor, patient)]


def test_first_frame_direct(site, browser, consultation):
    took = []
    for _time in range(TIMES):
        with both_in(browser, consultation, site.urls[0], site.urls[-1]) as people:
            took += first_frames(people)
    say("First frame, direct", took)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_first_frame_through_turn(site, browser, turn, consultation, transport):
    took = []
    with a_server(site, **turn.environment(transport, TURN_ONLY="1")) as url:
        for _time in range(TIMES):
            with both_in(browser, consultation, url) as people:
                took += first_frames(people)
    say(f"First frame, TURN over {transport.upper()}", took)


def back_after(people, began: float) -> list[float]:
    for person in people:
        person.receives("frames", 1, seconds=60)
    return [time.monotonic() - began]


def test_back_after_turn_was_away(site, browser, turn, consultation):
    took = []
    with a_server(site, **turn.environment("udp", TURN_ONLY="1")) as url:
        for _time in range(3):
            with both_in(browser, consultation, url) as people:
                first_frames(people)
                turn.kill()
                for person in people:
                    person.sees_state("reconnecting", seconds=60)
                time.sleep(20)
                turn.start()
                took += back_after(people, time.monotonic())
    say("Back after TURN was dead for more than 20 s", took)


def test_back_after_20_s_offline(people, line):
    took = []
    for _time in range(3):
        line.cut()
        for person in people:
            person.sees_state("reconnecting")
        time.sleep(20)
        line.mend()
        took += back_after(people, time.monotonic())
        for person in people:
            person.is_connected()
    say("Back after a laptop was offline for more than 20 s", took)


def test_sound_at_50_kbit(people, line):
    def totals():
        looks = [person.look() for person in people]
        return [(look["packets"], look["lost"]) for look in looks]

    def loss(before, after) -> float:
        got, lost = (sum(a[i] - b[i] for a, b in zip(after, before, strict=True)) for i in (0, 1))
        return 100 * lost / (got + lost)

    start, began = totals(), time.monotonic()
    line.squeeze("50kbit")
    until(lambda: all(person.page.locator(".tile.no-picture").count() for person in people), 60)
    gone, after = totals(), time.monotonic() - began
    until(lambda: no_picture_travels(*people), 60)
    settled, took = totals(), time.monotonic() - began
    time.sleep(30)
    print(
        f"\n50 kbit/s: {loss(start, gone):.1f}% of the sound lost in the {after:.0f} s until the picture"
        f" was gone, {loss(start, settled):.1f}% in the {took:.0f} s until its queue was drained,"
        f" {loss(settled, totals()):.2f}% in the 30 s after"
    )


def test_weight():
    scripts = list(Path(ROOT / "static" / "js" / "call").glob("*.js"))
    print(f"\nThe call's scripts: {sum(path.stat().st_size for path in scripts):,} bytes")
