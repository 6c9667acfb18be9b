"""What the tests of FHIR start from."""

import pytest

from tests.factories import a_patient, on_duty
from tests.fhir import records


@pytest.fixture
def centre():
    """A health centre with a health worker, a hub, and a case that waits there."""
    facility = records.a_centre()
    meena, hub = records.a_health_worker(facility), records.a_hub(facility)
    on_duty(hub)
    return facility, meena, records.sent(facility, meena, hub, a_patient())
