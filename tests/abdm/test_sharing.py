"""Scan and share: the number that the patient's app shows, and the desk that takes them in."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Enrolment, Facility, Patient
from consult.abdm.sharing import take
from consult.abdm.work import forget_abdm
from consult.models import AbdmMessage, SharedProfile
from tests.factories import a_facility, a_health_worker, a_patient, as_staff, centre_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def meena():
    return a_health_worker(a_facility(hfr_id="IN3210000099"))


def profile(**said) -> dict:
    return {
        "abhaNumber": "91-1000-0000-0008", "abhaAddress": "Asha@sbx", "name": "Asha Menon", "gender": "F",
        "dayOfBirth": "2", "monthOfBirth": "4", "yearOfBirth": "1991", "phoneNumber": "9876543210",
        "address": {"line": "House 4", "district": "Ernakulam", "state": "Kerala", "pincode": "682001"},
        **said,
    }  # fmt: skip


def scan(
    calls, hip: str = "IN3210000099", intent: str = "PROFILE_SHARE", request_id: str = "", **said
):
    body = {
        "intent": intent,
        "metaData": {"hipId": hip, "context": "1", "hprId": None, "latitude": "9.9", "longitude": "76.2"},
        "profile": {"patient": profile(**said)},
    }  # fmt: skip
    return calls.worked("hip/patient/share", body, "on-share", request_id)


def number_in(answer: dict) -> str:
    return answer["acknowledgement"]["profile"]["tokenNumber"]


def test_each_gets_the_next_number_of_the_place_and_day_and_the_same_one_again(calls, meena):
    other = a_facility(name="Elsewhere", hfr_id="IN3210000055")
    first = scan(calls)
    assert first["acknowledgement"]["status"] == "SUCCESS"
    assert first["acknowledgement"]["abhaAddress"] == "asha@sbx"
    assert 0 < first["acknowledgement"]["profile"]["expiry"] <= 24 * 3600
    second = scan(calls, abhaAddress="ravi@sbx", name="Ravi")
    assert [number_in(first), number_in(second), number_in(scan(calls))] == ["1", "2", "1"]
    assert number_in(scan(calls, hip=other.hfr_id)) == "1"
    assert SharedProfile.objects.count() == 3


def test_a_delivery_that_comes_twice_is_answered_once(calls, meena):
    scan(calls, request_id="0f1e")
    body = {"intent": "PROFILE_SHARE"}
    assert calls("hip/patient/share", body, request_id="0f1e").status_code == 202
    assert AbdmMessage.objects.filter(direction="in").count() == 1


def test_where_two_places_bear_one_hfr_number_neither_is_told(calls, meena):
    a_facility(name="Mistyped", hfr_id="IN3210000099")
    assert scan(calls)["error"]["code"] == "ABDM-1035"
    assert not SharedProfile.objects.exists()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"hip": "IN0000000000"}, "ABDM-1035"),
        ({"intent": "PAYMENT_SHARE"}, "ABDM-1149"),
        ({"yearOfBirth": "91"}, "ABDM-1102"),
        ({"abhaAddress": "<b>"}, "ABDM-1102"),
        ({"name": ""}, "ABDM-1102"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_its_code(calls, meena, said, code):
    assert scan(calls, **said)["error"]["code"] == code
    assert not SharedProfile.objects.exists()


def test_who_knows_the_year_of_birth_alone_is_taken_in_too(calls, meena):
    scan(calls, dayOfBirth=None, monthOfBirth=None, abhaNumber=None, phoneNumber=None)
    entry = SharedProfile.objects.get()
    assert (entry.birth_date, entry.birth_date_is_exact) == (date(1991, 7, 1), False)
    assert (entry.abha_number, entry.phone) == ("", "")


def test_the_health_worker_registers_them_with_what_their_app_sent(calls, meena):
    scan(calls)
    entry, browser = SharedProfile.objects.get(), as_staff(meena)
    day = browser.get("/centre/").text
    assert "Asha Menon" in day
    assert f"/centre/shared/{entry.uid}/" in day
    page = browser.get(f"/centre/shared/{entry.uid}/")
    assert "··-····-····-0008" in page.text
    assert "1000" not in page.text.partition("</h1>")[2]
    form = page.context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    assert (typed["phone"], typed["name"], typed["sex"]) == (
        "+919876543210",
        "Asha Menon",
        "female",
    )
    assert typed["address"] == "House 4, Ernakulam, 682001"
    saved = browser.post(f"/centre/shared/{entry.uid}/", typed)
    patient = Patient.objects.get()
    assert saved.url == f"/centre/patients/{patient.uid}/"
    assert (patient.abha_address, patient.abha_number) == ("asha@sbx", "91100000000008")
    assert patient.abha_is_verified
    assert Enrolment.objects.get().facility == centre_of(meena)
    assert "Asha Menon" not in browser.get("/centre/").text
    assert browser.get(f"/centre/shared/{entry.uid}/").url == saved.url  # a colleague was quicker


def test_whose_abha_is_known_is_taken_in_with_one_press(calls, meena):
    patient = a_patient(abha_address="asha@sbx", abha_verified_at=timezone.now())
    scan(calls)
    page = f"/centre/shared/{SharedProfile.objects.get().uid}/"
    browser = as_staff(meena)
    assert browser.get(page).context["known"] == patient
    assert browser.post(page).url == f"/centre/patients/{patient.uid}/"
    assert Patient.objects.count() == 1


def test_who_looks_alike_is_shown_first_and_keeps_their_own_file(calls, meena):
    patient = a_patient(name="Asha Menon", birth_date=date(1991, 4, 2))
    scan(calls)
    page, browser = f"/centre/shared/{SharedProfile.objects.get().uid}/", as_staff(meena)
    form = browser.get(page).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    asked = browser.post(page, typed)
    assert asked.status_code == 409
    ((person, key),) = asked.context["alike"]
    assert person == patient
    assert browser.post(page, {"found": key}).url == f"/centre/patients/{patient.uid}/"
    patient.refresh_from_db()
    assert patient.abha_is_verified
    assert browser.post(page, {"found": "made up"}).status_code == 302  # taken already


def test_an_abha_of_another_age_is_not_written_into_a_patients_file(calls, meena):
    patient = a_patient(name="Asha Menon", birth_date=date(1991, 4, 2))
    scan(calls, yearOfBirth="1961")
    entry = SharedProfile.objects.get()
    take(entry=entry, patient=patient, by=meena)
    patient.refresh_from_db()
    assert not patient.abha_is_verified
    assert not patient.abha_address


def test_another_health_centre_does_not_see_them(calls, meena):
    scan(calls)
    entry = SharedProfile.objects.get()
    stranger = as_staff(a_health_worker(a_facility(name="Elsewhere")))
    assert stranger.get(f"/centre/shared/{entry.uid}/").status_code == 404
    assert AuditEvent.objects.filter(action="sharedprofile.refused").count() == 1


def test_who_did_not_come_is_forgotten_the_next_day(calls, meena):
    scan(calls)
    SharedProfile.objects.update(day=timezone.localdate() - timedelta(days=1))
    forget_abdm()
    assert not SharedProfile.objects.exists()


def test_the_sheet_with_the_square_code_is_for_a_place_with_an_hfr_number(calls, meena, settings):
    browser = as_staff(meena)
    sheet = browser.get("/centre/abha-code/")
    assert sheet.context["address"].endswith("share-profile?hip-id=IN3210000099&counter-id=1")
    assert browser.get("/centre/abha-code/code.svg")["Content-Type"] == "image/svg+xml"
    Facility.objects.update(hfr_id="")
    assert "HFR" in browser.get("/centre/abha-code/").text
    assert browser.get("/centre/abha-code/code.svg").status_code == 404
    settings.ABDM = settings.ABDM | {"url": ""}
    assert browser.get("/centre/abha-code/").status_code == 404
