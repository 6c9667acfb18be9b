"""The FHIR server: what each may read, and what stays closed."""

import json

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.actions.keys import give_key
from accounts.models import AuditEvent, MachineClient
from esanjeevani.outcome import FHIR_JSON
from esanjeevani.sorry import try_again
from esanjeevani.views import server_error
from tests.factories import a_user, refused_to
from tests.fhir import records
from tests.fhir.asking import a_machine, ask, of
from tests.fhir.guide import model_problems, problems

pytestmark = pytest.mark.django_db


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
