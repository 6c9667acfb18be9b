"""The FHIR server and facilities' machines: what each may read and write, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.actions.keys import give_key, issue_token
from accounts.models import AuditEvent, Facility, MachineClient, User
from consult.models import Consultation
from esanjeevani.outcome import FHIR_JSON
from esanjeevani.sorry import try_again
from esanjeevani.views import server_error
from tests.factories import a_patient, a_user, on_duty, refused_to
from tests.fhir import records
from tests.fhir.guide import model_problems, problems

UCUM = "http://unitsofmeasure.org"
pytestmark = pytest.mark.django_db


def a_machine(facility: Facility, person: User, **rights: bool) -> tuple[MachineClient, str]:
    client = MachineClient(name="Kiosk", facility=facility, answers_for=person, **rights)
    return client, give_key(client=client, by=person)


def ask(key: str, path: str, data: object = None, more: dict[str, str] | None = None):
    headers = ({"Authorization": f"Bearer {key}"} if key else {}) | (more or {})
    if data is None:
        return Client().get(f"/fhir/{path}", headers=headers)
    body = data if isinstance(data, str) else json.dumps(data)
    return Client().post(
        f"/fhir/{path}", body, content_type="application/fhir+json", headers=headers
    )


def of(user: User, *, staff: bool = False) -> str:
    return issue_token(user=user, device="phone", has_second_factor=staff)[1]


@pytest.fixture
def centre():
    """A health centre with a health worker, a hub, and a case that waits there."""
    facility = records.a_centre()
    meena, hub = records.a_health_worker(facility), records.a_hub(facility)
    on_duty(hub)
    return facility, meena, records.sent(facility, meena, hub, a_patient())


def a_pulse(consultation: Consultation, **changed: object) -> dict:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{consultation.patient.uid}"},
        "valueQuantity": {"value": 88, "system": "http://unitsofmeasure.org", "code": "/min"},
        **changed,
    }


def test_a_patient_reads_the_documents_and_what_is_in_them():
    made = records.full()
    key = of(made.patient.account)
    for kind in ("OPConsultRecord", "PrescriptionRecord", "WellnessRecord"):
        answer = ask(key, f"Bundle/{kind}-{made.uid}")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/fhir+json"
    patient = ask(key, f"Patient/{made.patient.uid}").json()
    assert problems(patient) == []
    for kind in ("Encounter", "Observation", "MedicationRequest", "Practitioner"):
        found = ask(key, f"{kind}?patient={made.patient.uid}").json()
        assert found["type"] == "searchset"
        assert problems(found) == []
        first = found["entry"][0]["resource"]
        assert ask(key, f"{kind}/{first['id']}").json() == first


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


def found_by(key: str, kind: str, **asked: str) -> list[str]:
    entries = ask(key, f"{kind}?{urlencode(asked)}").json().get("entry", [])
    return [one["resource"]["id"] for one in entries]


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


@pytest.mark.usefixtures("one_moment")
def test_every_error_is_an_operation_outcome(settings, centre):
    facility, meena, _waits = centre
    key, (_client, machine) = of(a_user()), a_machine(facility, meena, may_send_vitals=True)
    headers = {"Authorization": f"Bearer {key}"}
    as_machine = {"Authorization": f"Bearer {machine}"}
    text = Client().post("/fhir/Observation", "x", content_type="text/plain", headers=as_machine)
    for status, code, answer in [
        (404, "not-found", ask(key, "nothing/of/the/kind")),
        (404, "not-found", ask(key, "Group")),
        (401, "login", ask("esp_guess", "Patient")),
        (403, "forbidden", ask(key, "Observation", {})),
        (405, "not-supported", Client().delete("/fhir/Patient/1", headers=headers)),
        (406, "not-supported", Client().get("/fhir/Patient", headers=headers | {"Accept": "a/b"})),
        (415, "not-supported", text),
        (400, "structure", ask(machine, "Observation", "{")),
        (400, "invalid", ask(key, "Encounter?date=yesterday")),
    ]:
        assert (answer.status_code, answer["Content-Type"]) == (status, FHIR_JSON)
        (issue,) = answer.json()["issue"]
        assert (answer.json()["resourceType"], issue["code"]) == ("OperationOutcome", code)
        assert model_problems(answer.json()) == []
    settings.API_PER_MINUTE = settings.API_PER_MINUTE | {"person": 1}
    slowed = ask(key, "Patient")
    assert (slowed.status_code, slowed.json()["issue"][0]["code"]) == (429, "throttled")
    assert int(slowed["Retry-After"]) > 0
    asked = RequestFactory().get("/fhir/Patient")
    for answer, code in [(try_again(asked), "transient"), (server_error(asked), "exception")]:
        assert (answer["Content-Type"], json.loads(answer.content)["issue"][0]["code"]) == (
            FHIR_JSON, code,
        )  # fmt: skip


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


def test_a_stranger_gets_an_operation_outcome_and_is_written_down():
    made = records.minimal()
    stranger = a_user()
    answer = ask(of(stranger), f"Bundle/OPConsultRecord-{made.uid}")
    assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")
    assert refused_to(stranger) == [f"consultation:{made.uid}"]
    no_key = ask("", f"Patient/{made.patient.uid}")
    assert (no_key.status_code, no_key.json()["issue"][0]["code"]) == (401, "login")
    for path in (
        f"Patient/{made.patient.uid}",
        f"Encounter/{made.uid}",
        f"Observation/{made.uid}-v1",
    ):
        answer = ask(of(stranger), path)
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (404, "not-found")
    assert refused_to(stranger) == [f"consultation:{made.uid}"] * 4
    assert ask(of(made.patient.account), "MedicationRequest/1").status_code == 404
    assert refused_to(made.patient.account) == []


def test_what_is_not_completed_is_no_document(centre):
    _facility, meena, waits = centre
    key = of(meena, staff=True)
    assert ask(key, f"Bundle/OPConsultRecord-{waits.uid}").status_code == 404
    assert ask(key, f"Encounter/{waits.uid}").json()["status"] == "arrived"


def test_a_machine_reads_its_facility_alone(centre):
    facility, meena, waits = centre
    client, key = a_machine(facility, meena, may_read_records=True)
    elsewhere = records.minimal()
    assert ask(key, f"Encounter/{waits.uid}").status_code == 200
    assert ask(key, f"Encounter/{elsewhere.uid}").status_code == 404
    assert ask(key, f"Bundle/OPConsultRecord-{elsewhere.uid}").status_code == 404
    event = AuditEvent.objects.get(action="client.fhir.Encounter")
    assert (event.by, event.target) == (meena, f"client:{client.uid}")


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


def test_a_key_that_was_replaced_or_taken_back_opens_nothing(centre):
    facility, meena, waits = centre
    client, old = a_machine(facility, meena, may_read_records=True)
    new = give_key(client=client, by=meena)
    assert ask(old, f"Encounter/{waits.uid}").status_code == 401
    assert ask(new, f"Encounter/{waits.uid}").status_code == 200
    assert (
        Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {new}"}).status_code == 403
    )
    MachineClient.objects.update(revoked_at=timezone.now())
    assert ask(new, f"Encounter/{waits.uid}").status_code == 401


def test_the_capability_statement_is_for_everybody():
    answer = ask("", "metadata")
    assert model_problems(answer.json()) == []
    assert answer.json()["fhirVersion"] == "4.0.1"
