"""Resources that are read alone: what one names can be read too, and says the same as in a document."""

import pytest

from consult import actions
from tests.factories import prescribed, waiting
from tests.fhir import records
from tests.fhir.asking import ask, found_by, of
from tests.fhir.guide import problems, references
from tests.fhir.test_documents import resources_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("make", [records.full, records.hub_with_referral])
def test_whatever_an_answer_names_is_there_for_whom_it_was_answered(make):
    key = of(make().patient.account)
    (server,) = ask("", "metadata").json()["rest"]
    ahead = [one["type"] for one in server["resource"] if one["type"] != "Bundle"]
    seen: dict[str, str] = {}
    while ahead:
        seen[path := ahead.pop()] = ""
        answer = ask(key, path)
        assert (answer.status_code, problems(answer.json())) == (200, []), path
        ahead += [one for one in references(answer.json()) if one not in seen]
    assert {"Condition", "Organization"} <= {path.partition("/")[0] for path in seen if "/" in path}


def test_a_doctor_is_found_behind_consultations_that_have_none_yet(monkeypatch):
    monkeypatch.setattr("consult.api.fhir.NEWEST", 1)
    seen = records.full()
    key = of(seen.patient.account)
    (doctor,) = found_by(key, "Practitioner")
    waiting(seen.clinic, seen.patient)
    assert ask(key, f"Practitioner/{doctor}").status_code == 200


def test_a_diagnosis_is_told_when_it_is_final_and_in_english_as_in_the_document():
    room = records.a_room()
    key = of(room.patient.account)
    in_hindi = {"Accept-Language": "hi"}
    actions.save_note(consultation=room, by=room.doctor.user, diagnosis="Acute tonsillitis")
    assert "diagnosis" not in ask(key, f"Encounter/{room.uid}").json()
    assert found_by(key, "Condition") == [f"{room.uid}-complaint"]
    made = records.finished(prescribed(room).consultation)
    (complaint, final) = (
        ask(key, f"Condition/{made.uid}-{one}", more=in_hindi).json()
        for one in ("complaint", "diagnosis")
    )
    inside = resources_of(made)
    assert [complaint["code"], final["code"]] == [one["code"] for one in inside["Condition"]]
    (medicine,) = inside["MedicationRequest"]
    alone = ask(key, f"MedicationRequest/{medicine['id']}", more=in_hindi).json()
    assert alone["dosageInstruction"] == medicine["dosageInstruction"]
