"""What a health worker does on the pages, by the API: from finding the patient to the follow-up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Enrolment, Facility
from consult import actions
from consult.models import Consultation
from tests.api.program import ASHA, Program
from tests.factories import (
    a_facility,
    a_health_worker,
    a_hub,
    a_patient,
    a_photo,
    a_specialist,
    an_upload,
    at_centre,
    before_the_screen,
    centre_of,
    on_duty,
    prescribed,
    sent,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(meena) -> Program:
    return Program(meena, staff=True)


def test_a_patient_is_found_enrolled_and_known(meena, worker):
    asha = a_patient(name="Asha Devi", address="Belwa village")
    assert worker.get(f"centre/patients/{asha.uid}/").status_code == 404
    assert worker.post("centre/find/", {"name": "Asha"}).status_code == 400  # age and village too
    assert "number" in worker.post("centre/find/", {"number": "12"}).json()["fields"]
    (person,) = worker.post("centre/find/", {"number": asha.number}).json()
    assert person["name"] == "Asha Devi"
    assert asha.account.phone not in str(person)
    by_name = {"name": "asha", "age": asha.age, "village": "belwa"}
    assert len(worker.post("centre/find/", by_name).json()) == 1
    elsewhere = Program(a_health_worker(a_facility(name="Elsewhere")), staff=True)
    assert elsewhere.post("centre/enrol/", {"found": person["found"]}).status_code == 404
    assert worker.post("centre/enrol/", {"found": "x" * 40}).status_code == 404
    assert worker.post("centre/enrol/", {"found": person["found"]}).json()["uid"] == str(asha.uid)
    assert worker.get(f"centre/patients/{asha.uid}/").json()["patient"]["name"] == "Asha Devi"
    assert AuditEvent.objects.filter(action="patients.find", by=meena).count() == 3


def test_a_new_patient_is_registered_unless_one_looks_alike(meena, worker):
    typed = ASHA | {"phone": "90000 00106", "state": centre_of(meena).state_id}
    first = worker.post("centre/patients/", typed)
    assert first.status_code == 201
    assert Enrolment.objects.filter(patient__uid=first.json()["uid"]).exists()
    twin = worker.post("centre/patients/", typed)
    assert (twin.status_code, twin.json()["code"]) == (409, "looks_alike")
    (person,) = twin.json()["details"]["people"]
    assert worker.post("centre/enrol/", {"found": person["found"]}).json() == first.json()
    assert worker.post("centre/patients/", typed | {"sure": True}).status_code == 201
    doubtful = typed | {"name": "Leela", "abha_number": "91-1000-0000-0001"}
    assert worker.post("centre/patients/", doubtful).json()["code"] == "doubtful_abha"


def test_a_case_is_written_with_a_photo_and_sent_where_it_is_soonest(meena, worker):
    hub = a_hub(centre_of(meena))
    on_duty(hub)
    other = a_hub(centre_of(meena), name="Another hub")
    draft = at_centre(meena)
    path = f"cases/{draft.uid}"
    upload = {"file": an_upload(a_photo())}
    kept = worker.client.post(f"/api/v1/{path}/files/", upload, headers=worker.headers)
    assert kept.status_code == 201
    assert worker.ask("delete", f"{path}/files/{kept.json()['uid']}/").status_code == 204
    assert worker.get(f"{path}/files/").json() == []
    choice = worker.get(f"{path}/clinics/").json()
    assert (choice["proposed"], choice["obstacles"]) == (str(hub.uid), {})
    assert [one["uid"] for one in choice["clinics"]] == [str(hub.uid), str(other.uid)]
    assert worker.get(f"{path}/clinics/?speciality=dermatology").json()["proposed"] is None
    sending = {"clinic": choice["proposed"], "consent": True, "is_present": True, "language": "hi"}
    refused = worker.post(f"{path}/send/", sending | {"is_present": False}).json()
    assert (refused["code"], list(refused["fields"])) == ("not_ready", ["not_present"])
    assert worker.post(f"{path}/send/", sending).json()["state"] == "requested"
    draft.refresh_from_db()
    assert draft.consent.language == "hi"
    assert worker.post(f"{path}/discard/").json()["code"] == "moved"


@pytest.mark.parametrize("phone", ["patient", "centre", ""])
def test_at_whose_number_the_doctor_may_phone_is_said_when_a_case_is_sent(meena, worker, phone):
    hub = a_hub(centre_of(meena))
    on_duty(hub)
    draft = at_centre(meena)
    Facility.objects.update(phone="06254 222333")
    sending = {"clinic": str(hub.uid), "consent": True, "is_present": True, "language": "hi"}
    refused = worker.post(f"cases/{draft.uid}/send/", sending | {"phone": "anybody"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["phone"])
    assert worker.post(f"cases/{draft.uid}/send/", sending | {"phone": phone}).status_code == 200
    numbers = {"patient": draft.patient.account.phone, "centre": "06254 222333", "": ""}
    assert Consultation.objects.get(pk=draft.pk).number_to_phone == numbers[phone]


def test_the_patients_phone_may_join_the_call_from_the_patients_yes_to_the_no(meena, worker):
    hub = a_hub(centre_of(meena))
    case = before_the_screen(meena, hub, on_duty(hub))
    sunita = Program(a_health_worker(centre_of(meena)), staff=True)
    path = f"cases/{case.uid}/phone/"
    assert sunita.post(path, {"may_join": True}).json()["code"] == "moved"
    assert worker.post(path, {}).status_code == 400
    for may_join in (True, False):
        assert worker.post(path, {"may_join": may_join}).json()["lets_phone_in"] is may_join


def test_a_draft_goes_and_a_colleague_takes_over(meena, worker):
    hub = a_hub(centre_of(meena))
    on_duty(hub)
    thrown = at_centre(meena)
    assert worker.post(f"cases/{thrown.uid}/discard/").json()["state"] == "cancelled"
    case = sent(meena, hub)
    sunita = a_health_worker(centre_of(meena))
    Program(sunita, staff=True).post(f"cases/{case.uid}/take-over/")
    case.token.refresh_from_db()
    assert case.token.brought_by == sunita


def test_what_is_given_out_and_how_the_patient_is_later(meena, worker):
    hub = a_hub(centre_of(meena))
    doctor = a_specialist(hub)
    case = before_the_screen(meena, hub, doctor)
    due = timezone.localdate() + timedelta(days=3)
    prescribed(case)
    actions.save_note(consultation=case, by=doctor.user, diagnosis="Fever", follow_up_on=due)
    actions.complete(consultation=Consultation.objects.get(pk=case.pk), by=doctor.user)
    given = {"lines": [{"position": 1, "given": "partly", "words": "5 of 9"}]}
    noted = worker.post(f"cases/{case.uid}/dispense/", given).json()
    assert [line["given"] for line in noted["lines"]] == ["partly"]
    known = worker.get(f"centre/patients/{case.patient.uid}/").json()
    assert [one["due_on"] for one in known["follow_ups"]] == [due.isoformat()]
    (task,) = worker.get("follow-ups/").json()
    closed = worker.post(f"follow-ups/{task['uid']}/close/", {"outcome": "better"}).json()
    assert closed["outcome"] == "better"
    again = worker.post(f"follow-ups/{task['uid']}/close/", {"outcome": "well"})
    assert (again.status_code, again.json()["code"]) == (409, "moved")
    assert worker.get("follow-ups/").json() == []


def test_another_centre_sees_none_of_it(meena):
    hub = a_hub(centre_of(meena))
    on_duty(hub)
    case = sent(meena, hub)
    elsewhere = Program(a_health_worker(a_facility(name="Elsewhere")), staff=True)
    got = [elsewhere.get(f"cases/{case.uid}/{end}").status_code for end in ("clinics/", "files/")]
    got += [
        elsewhere.post(f"cases/{case.uid}/{end}").status_code
        for end in ("discard/", "take-over/", "send-again/", "dispense/")
    ]
    got.append(elsewhere.get(f"centre/patients/{case.patient.uid}/").status_code)
    assert got == [404] * 7
