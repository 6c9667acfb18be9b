"""Parts of the service die in the middle of the work. The long form, every case: `make faults`."""

import time

import pytest

from tests.faults import invariants

# Rows that a worker may have had at the gateway in the moment in which it, or the database, died.
AT_THE_GATEWAY = 16

pytestmark = [pytest.mark.postgresql, pytest.mark.redis, pytest.mark.timeout(400)]


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
        invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd, again=AT_THE_GATEWAY)
