"""Vital signs that a facility's machines send: what is kept, and for whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from consult.models import Consultation
from esanjeevani.outcome import FHIR_JSON
from tests.fhir import records
from tests.fhir.asking import a_machine, ask, of
from tests.fhir.guide import problems

UCUM = "http://unitsofmeasure.org"
pytestmark = pytest.mark.django_db


def a_pulse(consultation: Consultation, **changed: object) -> dict:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{consultation.patient.uid}"},
        "valueQuantity": {"value": 88, "system": "http://unitsofmeasure.org", "code": "/min"},
        **changed,
    }


def test_a_device_sends_vital_signs_for_the_open_case(centre):
    facility, meena, waits = centre
    client, key = a_machine(facility, meena, may_send_vitals=True)
    answer = ask(key, "Observation", a_pulse(waits))
    assert (answer.status_code, problems(answer.json())) == (201, [])
    path = answer["Location"].partition("/fhir/")[2]
    assert ask(of(meena, staff=True), path).json() == answer.json()
    newest = waits.observations.filter(kind="pulse").last()
    assert (newest.value, newest.unit, newest.taken_by) == (88, "/min", meena)
    assert AuditEvent.objects.filter(action="client.vitals", target=f"client:{client.uid}").exists()
    assert ask(key, f"Encounter/{waits.uid}").status_code == 403  # it may send, not read
    _reader, readers = a_machine(facility, meena, may_read_records=True)
    assert ask(readers, "Observation", a_pulse(waits)).status_code == 403


def test_a_vital_sign_sent_again_is_kept_once_and_answered_as_before(centre):
    facility, meena, waits = centre
    _client, key = a_machine(facility, meena, may_send_vitals=True)
    before = waits.observations.count()
    first, again = (
        ask(key, "Observation", a_pulse(waits), {"Idempotency-Key": "k" * 16}) for _sent in range(2)
    )
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json()) == (201, first.json())
    assert [again[one] for one in ("Content-Type", "Location")] == [FHIR_JSON, first["Location"]]
    assert waits.observations.count() == before + 1


def test_both_values_of_a_blood_pressure_come_together(centre):
    facility, meena, waits = centre
    _client, key = a_machine(facility, meena, may_send_vitals=True)
    parts = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {
                "value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]",
            },
        }
        for code, value in [("8480-6", 151), ("8462-4", 93)]
    ]  # fmt: skip
    panel = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    sent = a_pulse(waits, code=panel, component=parts)
    answer = ask(key, "Observation", sent)
    assert answer.status_code == 201
    values = [part["valueQuantity"]["value"] for part in answer.json()["component"]]
    assert values == [151, 93]
    assert [
        waits.observations.filter(kind=kind).last().value for kind in ("systolic", "diastolic")
    ] == values
    sent["component"] = [*parts, a_pulse(waits)]
    assert ask(key, "Observation", sent).status_code == 400


def test_what_a_device_measured_earlier_keeps_its_time(centre):
    facility, meena, waits = centre
    _client, key = a_machine(facility, meena, may_send_vitals=True)
    now = timezone.now()
    first = waits.observations.get(kind="pulse")
    at = now - timedelta(hours=2)
    answer = ask(key, "Observation", a_pulse(waits, effectiveDateTime=at.isoformat()))
    assert (answer.status_code, answer.json()["valueQuantity"]["value"]) == (201, 88)
    assert [(one.value, one.taken_at) for one in waits.observations.filter(kind="pulse")] == [
        (88, at), (first.value, first.taken_at),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"status": "preliminary"}, "status"),
        ({"code": {"text": "pulse"}}, "code"),
        ({"code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}}, "code"),
        ({"subject": {"reference": "Patient/1"}}, "subject"),
        ({"valueQuantity": {"value": 88, "code": "/s", "system": UCUM}}, "valueQuantity"),
        ({"valueQuantity": {"value": 888, "code": "/min", "system": UCUM}}, "valueQuantity"),
        ({"valueQuantity": {"value": "NaN", "code": "/min", "system": UCUM}}, "valueQuantity"),
        ({"resourceType": "Patient"}, "resourceType"),
        ({"effectiveDateTime": "2026-11-24T10:15:00"}, "effectiveDateTime"),
        ({"effectiveDateTime": ["now"]}, "effectiveDateTime"),
        ({"effectiveDateTime": "2026-02-30T10:15:00Z"}, "effectiveDateTime"),
        ({"effectiveDateTime": "2020-01-01T10:15:00Z"}, "effectiveDateTime"),
        ({"effectiveInstant": "2120-01-01T10:15:00Z"}, "effectiveDateTime"),
    ],
)  # fmt: skip
def test_what_is_no_vital_sign_is_refused_and_nothing_kept(centre, wrong: dict, field: str):
    facility, meena, waits = centre
    _client, key = a_machine(facility, meena, may_send_vitals=True)
    before = waits.observations.count()
    answer = ask(key, "Observation", a_pulse(waits, **wrong))
    assert answer.status_code == 400
    assert field in answer.json()["issue"][0]["diagnostics"]
    assert waits.observations.count() == before


def test_a_device_knows_no_patient_of_another_facility(centre):
    _facility, meena, waits = centre
    other = records.a_centre(name="Sub-centre Cherthala")
    _client, key = a_machine(other, meena, may_send_vitals=True)
    assert ask(key, "Observation", a_pulse(waits)).status_code == 404
    assert ask(key, "Observation", "{").status_code == 400
