"""Searches of the FHIR server: by patient, by id, and by date as R4 names it for each resource."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from consult.models import Consultation
from tests.factories import a_user
from tests.fhir import records
from tests.fhir.asking import ask, found_by, of

pytestmark = pytest.mark.django_db


def test_a_search_by_date_finds_that_day_alone():
    made = records.minimal()
    key = of(made.patient.account)
    at = timezone.localtime(datetime(2024, 2, 29, 18, 0, tzinfo=UTC))
    Consultation.objects.filter(pk=made.pk).update(started_at=at, ended_at=at)
    for asked, count in [
        ("2024-02-29", 1), ("ge2024-02-29", 1), ("lt2024-02-29", 0), ("gt2024-02-29", 0),
        ("le2024-02-28", 0), ("2024-02", 1), ("2024-03", 0), ("gt2024-02", 0), ("2024", 1),
        ("ge2025", 0), ("2024-02-29T18:00:00Z", 1), ("gt2024-02-29T23:30:00%2B05:30", 0),
    ]:  # fmt: skip
        found = ask(key, f"Encounter?date={asked}").json()
        assert len(found.get("entry", [])) == count, asked
    for no_date in ("yesterday", "2024-02-30", "2024-13", "0001-01-01T00:00:00%2B14:00", "ge"):
        assert ask(key, f"Encounter?date={no_date}").status_code == 400


def test_an_encounter_is_searched_by_its_period():
    made = records.minimal()
    key = of(made.patient.account)
    start = datetime(2024, 2, 29, 18, 0, tzinfo=UTC)  # 23:30 here: it ends on the next day
    rows = Consultation.objects.filter(pk=made.pk)
    rows.update(started_at=start, ended_at=start + timedelta(hours=1))
    for asked, is_found in {
        "2024-02": False, "2024": True, "2024-02-29": False, "lt2024-03": True, "le2024-02": True,
        "ge2024-03": True, "gt2024-02": True, "gt2024-03": False, "sa2024-02": False,
        "sa2024-01": True, "eb2024-03-01": False, "eb2024-03-02": True,
    }.items():  # fmt: skip
        assert found_by(key, "Encounter", date=asked) == [str(made.uid)] * is_found, asked
    rows.update(state="in_progress", ended_at=None)
    assert found_by(key, "Encounter", date="gt2100") == [str(made.uid)]
    assert found_by(key, "Encounter", date="2024") == []


def test_a_vital_sign_is_searched_by_when_it_was_measured():
    made = records.full()
    key = of(made.patient.account)
    all_of_them = found_by(key, "Observation")
    pulse = made.observations.filter(kind="pulse").latest("taken_at")
    type(pulse).objects.filter(kind="pulse").update(taken_at=datetime(2024, 2, 29, tzinfo=UTC))
    assert found_by(key, "Observation", date="2024-02-29") == [f"{made.uid}-v{pulse.pk}"]
    rest = [one for one in all_of_them if not one.endswith(f"-v{pulse.pk}")]
    assert found_by(key, "Observation", date="gt2024-02-29") == rest


def test_medicines_are_searched_by_when_they_were_prescribed():
    made = records.full()
    key = of(made.patient.account)
    all_of_them = found_by(key, "MedicationRequest")
    made.prescriptions.update(issued_at=datetime(2024, 2, 29, tzinfo=UTC))
    assert all_of_them
    assert found_by(key, "MedicationRequest", authoredon="2024-02-29") == all_of_them
    assert found_by(key, "MedicationRequest", authoredon="gt2024-02-29") == []
    unheeded = ask(key, "MedicationRequest?date=gt2024-02-29").json()
    assert unheeded["link"][0]["url"].endswith("/fhir/MedicationRequest")


def test_a_search_says_what_it_was_asked_by_and_finds_one_by_its_id():
    made = records.full()
    key = of(made.patient.account)
    found = ask(key, f"Observation?code=8867-4&patient={made.patient.uid}").json()
    (link,) = found["link"]
    assert link["url"].endswith(f"/fhir/Observation?patient={made.patient.uid}")
    for kind in ("Patient", "Encounter", "Observation", "MedicationRequest", "Practitioner"):
        (first, *_others) = ask(key, kind).json()["entry"]
        one = ask(key, f"{kind}?_id={first['resource']['id']}").json()
        assert one["entry"] == [first]
    assert "entry" not in ask(key, "Encounter?_id=1").json()
    assert "entry" not in ask(of(a_user()), f"Encounter?_id={made.uid}").json()
