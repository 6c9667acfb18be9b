"""What the pages of the network show, by the API: how a patient stands, and who scanned the square code."""

import pytest

from accounts.models import AuditEvent, Enrolment, Patient
from consult.models import CareContext
from tests.abdm.test_pages import a_consent
from tests.abdm.test_sharing import scan
from tests.api.program import ASHA, Program
from tests.factories import a_facility, a_health_worker, a_patient, a_user, refused_to
from tests.fhir import records

pytestmark = pytest.mark.django_db


@pytest.fixture
def meena():
    return a_health_worker(a_facility(hfr_id="IN3210000099"))


@pytest.fixture
def worker(meena) -> Program:
    return Program(meena, staff=True)


def test_a_patient_sees_what_is_shown_who_may_read_and_who_looked(calls):
    past = records.full()
    asha = Program(past.patient.account)
    path = f"patients/{past.patient.uid}/abha/standing/"
    (one,) = asha.get(path).json()["consultations"]
    assert (one["uid"], one["is_wished"], one["linked_at"]) == (str(past.uid), False, None)
    CareContext.objects.create(consultation=past, linked_at=past.ended_at)
    a_consent(past.patient, requester="City hospital")
    stands = asha.get(path).json()
    assert stands["consultations"][0]["is_wished"]
    assert stands["consultations"][0]["linked_at"] is not None
    assert [(one["requester"], one["is_in_force"]) for one in stands["consents"]] == [
        ("City hospital", True)
    ]
    assert past.doctor.user.name in {look["who"] for look in stands["looks"]}
    stranger = a_user()
    assert Program(stranger).get(path).status_code == 404
    assert refused_to(stranger) == [f"patient:{past.patient.uid}"]


def test_who_scanned_the_code_is_listed_and_taken_in_as_who_they_are(calls, meena, worker):
    scan(calls)
    scan(calls, abhaAddress="ravi@sbx", name="Ravi", gender="M")
    known = a_patient(abha_address="Ravi@sbx", abha_verified_at="2026-01-01T00:00Z", sex="male")
    asha, ravi = worker.get("centre/shared/").json()
    assert (asha["number"], asha["name"], asha["is_known"]) == (1, "Asha Menon", False)
    assert (ravi["number"], ravi["is_known"]) == (2, True)
    assert AuditEvent.objects.filter(action="abdm.share_list", by=meena).count() == 1

    assert worker.post(f"centre/shared/{asha['uid']}/take/").json()["code"] == "not_known"
    theirs = {"patient": str(a_patient().uid)}
    assert worker.post(f"centre/shared/{asha['uid']}/take/", theirs).status_code == 404
    typed = ASHA | {"phone": asha["phone"], "state": asha["state"], "age": 35, "sure": True}
    new = worker.post("centre/patients/", typed).json()
    taken = worker.post(f"centre/shared/{asha['uid']}/take/", {"patient": new["uid"]}).json()
    assert (taken["uid"], taken["abha_is_verified"]) == (new["uid"], True)
    assert worker.post(f"centre/shared/{ravi['uid']}/take/").json()["uid"] == str(known.uid)
    assert Enrolment.objects.filter(patient=known, facility__hfr_id="IN3210000099").exists()
    again = worker.post(f"centre/shared/{asha['uid']}/take/", {"patient": new["uid"]})
    assert (again.status_code, again.json()["code"]) == (409, "taken")
    assert worker.get("centre/shared/").json() == []
    assert Patient.objects.get(uid=new["uid"]).abha_address == "asha@sbx"


def test_another_health_centre_sees_and_takes_nobody(calls, worker):
    scan(calls)
    (entry,) = worker.get("centre/shared/").json()
    sunita = a_health_worker(a_facility(name="Elsewhere"))
    elsewhere = Program(sunita, staff=True)
    assert elsewhere.get("centre/shared/").json() == []
    assert elsewhere.post(f"centre/shared/{entry['uid']}/take/").status_code == 404
    assert len(refused_to(sunita)) == 1


def test_where_the_network_is_not_in_use_the_answer_says_so(worker):
    asha = a_patient()
    standing = Program(asha.account).get(f"patients/{asha.uid}/abha/standing/")
    for answer in (standing, worker.get("centre/shared/")):
        assert (answer.status_code, answer.json()["code"]) == (409, "gateway_off")
