"""The health worker's form for a new patient."""

import re

import pytest

from accounts.models import District, Facility, Post, State
from tests.factories import a_district, a_staff_user, as_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre() -> Facility:
    district = a_district()
    return Facility.objects.create(
        name="Belwa Health Centre",
        kind=Facility.Kind.SUB_CENTRE,
        state=district.state,
        district=district,
    )


def page_of(centre: Facility, **typed: str) -> str:
    meena = a_staff_user()
    Post.objects.create(user=meena, facility=centre, role=Post.Role.HEALTH_WORKER)
    return as_staff(meena).get("/centre/patients/new/", {"phone": "98765 01234", **typed}).text


def test_it_begins_with_the_health_centres_own_state_and_district(centre):
    chosen = re.findall(r'<option value="(\d+)" selected>', page_of(centre))
    assert chosen == [str(centre.state_id), str(centre.district_id)]


def test_what_is_typed_is_there_and_only_there(centre):
    typed = page_of(centre, name="Asha Menon", age="34")
    assert re.findall('name="(phone|name|age)" value="(.*?)"', typed) == [
        ("phone", "98765 01234"), ("name", "Asha Menon"), ("age", "34"),
    ]  # fmt: skip
    newcomer = page_of(centre, phone="98765 55555")
    assert re.findall('name="(phone|name|age)" value="(.*?)"', newcomer) == [
        ("phone", "98765 55555")
    ]
    fields = [re.findall('name="([a-z_]+)"', page) for page in (typed, newcomer)]
    assert fields[0] == fields[1]


def test_a_place_that_is_new_or_called_otherwise_can_be_chosen_at_once(centre):
    page_of(centre)
    there = District.objects.create(code=556, name="Idukki", state=centre.state)
    assert ">Idukki</option>" in page_of(centre)
    District.objects.filter(pk=there.pk).update(name="Idukki East")
    State.objects.filter(pk=centre.state_id).update(name="Keralam")
    page = page_of(centre)
    assert ">Idukki East</option>" in page
    assert ">Keralam</option>" in page
