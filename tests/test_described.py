"""What is said of a control beside its label is on the page, once, so that it is read out with it."""

import re

import pytest

from tests.factories import (
    a_clinic,
    a_doctor,
    a_health_worker,
    a_hub,
    a_patient,
    as_patient,
    as_staff,
    at_centre,
    in_the_room,
    on_duty,
    sent,
)

pytestmark = pytest.mark.django_db


def described_nowhere(page: str) -> set[str]:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    described = re.findall(r'\baria-describedby="([^"]+)"', page)
    return {one for several in described for one in several.split()} - set(ids)


def test_in_the_doctors_room():
    clinic = a_clinic()
    room = in_the_room(clinic, on_duty(clinic))
    page = as_staff(room.doctor.user).get(f"/doctor/consultations/{room.uid}/").text
    assert 'name="lines-0-dose"' in page
    assert described_nowhere(page) == set()


def test_in_a_case_with_impossible_numbers():
    meena = a_health_worker()
    clinic = a_hub(meena.posts.get().facility)
    on_duty(clinic, a_doctor())
    wrong = {"vital_temperature": "98", "vital_systolic": "80", "vital_spo2": "x"}
    browser, draft = as_staff(meena), at_centre(meena)
    pages = [
        browser.post(
            f"/centre/consultations/{draft.uid}/case/", wrong | {"revision": draft.revision}
        ),
        browser.post(f"/centre/consultations/{sent(meena, clinic).uid}/vitals/", wrong),
    ]
    for page in pages:
        assert page.status_code == 422
        assert 'aria-describedby="id_vital_spo2_error"' in page.text
        assert described_nowhere(page.text) == set()


def test_in_a_form_of_a_patient():
    page = as_patient(a_patient().account).post("/patients/new/", {})
    assert page.status_code == 422
    assert described_nowhere(page.text) == set()
