"""Two states with their places, clinics and a doctor."""

from types import SimpleNamespace

import pytest

from accounts.models import Facility, User
from tests.factories import a_clinic, a_district, a_doctor, a_state


@pytest.fixture
def land() -> SimpleNamespace:
    """A sub-centre and a PHC with a clinic in Kerala, a hospital with a clinic in Bihar."""
    here = SimpleNamespace(kochi=a_district())
    here.spoke = Facility.objects.create(
        name="Canal Road", kind="sub_centre", state=a_state(32), district=here.kochi
    )
    here.hub = Facility.objects.create(name="Lakeside", kind="phc", state=a_state(32))
    here.far = Facility.objects.create(name="Ganga", kind="phc", state=a_state(10))
    here.clinic = a_clinic(name="Lakeside medicine", facility=here.hub)
    here.far_clinic = a_clinic(name="Ganga medicine", facility=here.far, state=a_state(10))
    here.opd = a_clinic(name="Kerala OPD")
    here.doctor = a_doctor(facility=here.hub)
    here.worker = User.objects.create(phone="+919000000900", name="Meena")
    return here
