"""Places in three districts and two states, and an officer of one district and of one state."""

from types import SimpleNamespace

import pytest

from accounts.models import District, Post, User
from queues.models import HubLink
from tests.area.officers import a_facility, a_person, an_officer
from tests.factories import a_clinic, a_doctor, a_state, as_staff, on_duty


@pytest.fixture
def land() -> SimpleNamespace:
    """Places, a clinic, a doctor on duty, a health worker and a link in each of them."""
    bihar, kerala = a_state(10), a_state(32)
    here = SimpleNamespace(bihar=bihar, kerala=kerala)
    here.gaya = District.objects.create(code=196, name="Gaya", state=bihar)
    here.patna = District.objects.create(code=212, name="Patna", state=bihar)
    here.kochi = District.objects.create(code=555, name="Ernakulam", state=kerala)
    here.belwa = a_facility("Belwa", "sub_centre", here.gaya)
    here.harinagar = a_facility("Harinagar", "phc", here.gaya)
    here.ganga = a_facility("Ganga", "district_hospital", here.patna)
    here.lakeside = a_facility("Lakeside", "medical_college", here.kochi)
    here.clinics = {
        place.name: a_clinic(
            name=f"{place.name} clinic", facility=place, state=place.state, district=place.district
        )
        for place in (here.harinagar, here.ganga, here.lakeside)
    }
    here.opd = a_clinic(name="Bihar OPD", state=bihar)
    here.doctors = {
        name: on_duty(clinic, a_doctor(facility=clinic.facility))
        for name, clinic in here.clinics.items()
    }
    here.posts = {
        place.name: Post.objects.create(user=a_person(), facility=place, role="health_worker")
        for place in (here.belwa, here.ganga, here.lakeside)
    }
    here.links = {
        "Belwa": HubLink.objects.create(spoke=here.belwa, clinic=here.clinics["Harinagar"]),
        "Ganga": HubLink.objects.create(spoke=here.ganga, clinic=here.clinics["Harinagar"]),
        "Lakeside": HubLink.objects.create(spoke=here.lakeside, clinic=here.clinics["Lakeside"]),
    }
    return here


@pytest.fixture
def of_gaya(land) -> User:
    return an_officer(land.harinagar)


@pytest.fixture
def of_bihar(land) -> User:
    return an_officer(land.ganga, "state_officer")


@pytest.fixture
def gaya(of_gaya):
    return as_staff(of_gaya)


@pytest.fixture
def bihar(of_bihar):
    return as_staff(of_bihar)
