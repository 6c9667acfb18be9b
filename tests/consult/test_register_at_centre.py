"""The health worker's form for a new patient."""

import re

import pytest

from accounts.models import Facility, Post
from tests.factories import a_district, a_staff_user, as_staff

pytestmark = pytest.mark.django_db


def test_it_begins_with_the_health_centres_own_state_and_district():
    district = a_district()
    centre = Facility.objects.create(
        name="Belwa Health Centre",
        kind=Facility.Kind.SUB_CENTRE,
        state=district.state,
        district=district,
    )
    meena = a_staff_user()
    Post.objects.create(user=meena, facility=centre, role=Post.Role.HEALTH_WORKER)
    page = as_staff(meena).get("/centre/patients/new/?phone=98765+01234").content.decode()
    chosen = re.findall(r'<option value="(\d+)" selected>', page)
    assert chosen == [str(district.state_id), str(district.pk)]
