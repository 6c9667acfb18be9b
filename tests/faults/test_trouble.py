"""Parts of the service die in the middle of the work. The long form, every case: `make faults`.

Here pages may take longer to be right again: this runs beside all other tests.
"""

import time

import httpx
import pytest

from tests.faults import invariants
from tests.faults.machine import part_named
from tests.running import SOON

# Rows that a worker may have had at the gateway in the moment in which it, or the database, died.
AT_THE_GATEWAY = 16
STANDS_STILL = 2  # seconds

pytestmark = [pytest.mark.postgresql, pytest.mark.redis, pytest.mark.timeout(900)]


def test_everything_dies_once_and_everybody_is_seen(machine, a_crowd):
    """One after the other, each started again while the next one dies; the database last."""
    crowd = a_crowd(patients=14, every=1.0)
    with crowd.at_work():
        time.sleep(4)
        for service in ("web", "live", "worker-sms", "worker-pdf", "beat"):
            machine.parts[service][0].kill_and_restart()
        machine.redis.kill_and_restart()
        machine.postgres.kill_and_restart()
        machine.wait()
        invariants.pages_converge(crowd, within=SOON)
    invariants.all_hold(machine, crowd, again=AT_THE_GATEWAY)


def test_everything_stands_still_once_and_everybody_is_seen(machine, a_crowd):
    """One after the other, PostgreSQL last; Redis forgets, there are two beats, and tasks come twice."""
    crowd = a_crowd(patients=10, every=1.0)
    with machine.one_more("beat", machine.part("beat")):
        with crowd.at_work():
            for service in (*machine.parts, "redis", "postgres"):
                with part_named(machine, service).paused():
                    time.sleep(STANDS_STILL)
                machine.redis_forgets()
                machine.tasks_come_again()
            invariants.pages_converge(crowd, within=SOON)
        machine.tasks_come_again()
        invariants.all_hold(machine, crowd)


def test_a_web_process_whose_clock_is_three_hours_off_does_nothing(machine, a_crowd):
    with machine.one_more("web", machine.web_with_clock("+3h")) as late:
        crowd = a_crowd(patients=3, doctors=1)
        with crowd.at_work():
            invariants.pages_converge(crowd, within=SOON)
        troubles = crowd.troubles()
        assert (troubles["503"] > 0, troubles["500"]) == (True, 0)
        ready = httpx.get(f"http://127.0.0.1:{late.port}/readyz", timeout=SOON)
        assert (ready.status_code, ready.json()) == (503, {"status": "down", "clock": "wrong"})
    invariants.all_hold(machine, crowd)
