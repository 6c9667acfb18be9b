"""The daily table of consultations by state."""

import pytest

from accounts.area import Area
from accounts.models import User
from consult.quality import Period, mis_table
from tests.factories import a_doctor
from tests.quality.cases import EVERYWHERE, R, a_case, at

pytestmark = pytest.mark.django_db


def test_the_daily_table_has_the_whole_first_and_the_states_by_total(land):
    other_worker = User.objects.create(phone="+919000000901", name="Anitha")
    far_doctor = a_doctor(facility=land.far)
    a_case(land)
    a_case(land, requested_by=other_worker)
    a_case(land, clinic=land.far_clinic, doctor=far_doctor)  # Kerala's spoke asks Bihar's hub
    a_case(land, clinic=land.opd, facility=None, requested_by=None)
    a_case(land, clinic=land.far_clinic, doctor=land.doctor, facility=land.far)
    a_case(land, end_reason=R.TRANSFERRED)
    a_case(land, state="returned", end_reason=R.OTHER)
    a_case(land, asked_at=at(1))
    rows = mis_table(Period.of_days(1), EVERYWHERE)
    assert [
        (r.name, r.hubs, r.spokes, r.doctors, r.health_workers, r.opd, r.hwc, r.total) for r in rows
    ] == [
        ("India", 2, 2, 2, 2, 1, 4, 5),
        ("Kerala", 1, 1, 1, 2, 1, 3, 4),
        ("Bihar", 1, 1, 2, 1, 0, 1, 1),
    ]


def test_the_daily_table_of_an_area(land):
    a_case(land)
    a_case(land, clinic=land.far_clinic, facility=land.far)
    bihar = mis_table(Period.of_days(1), Area(states=frozenset({10})))
    assert [(row.name, row.total, row.hubs) for row in bihar] == [
        ("Your area", 1, 1),
        ("Bihar", 1, 1),
    ]


def test_a_day_without_consultations_has_one_line_of_nothing():
    rows = mis_table(Period.of_days(1), EVERYWHERE)
    assert [(row.name, row.total, row.doctors) for row in rows] == [("India", 0, 0)]
