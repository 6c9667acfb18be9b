"""The pages: the patient's ABHA, what their app shows, consents, who looked; the doctor asks and reads."""

import re
import tracemalloc
from base64 import b64encode
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actions import record
from accounts.models import AuditEvent
from consult.abdm import holding
from consult.abdm.abha import CODES_AN_HOUR
from consult.fhir.documents import OP_CONSULT, PRESCRIPTION, document
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord
from tests.api.program import Program
from tests.factories import a_patient, a_photo, as_patient, as_staff, refused_to
from tests.fhir import records

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls")]


@pytest.fixture
def past():
    return records.full()


@pytest.fixture
def room(past):
    """The same patient before another doctor."""
    clinic = records.a_clinic(name="Evening clinic")
    return records.in_the_room(clinic, records.on_duty(clinic), past.patient)


def unverified(patient):
    type(patient).objects.filter(pk=patient.pk).update(abha_verified_at=None, abha_address="")
    return patient


def page_of(patient) -> str:
    return f"/patients/{patient.uid}/abha/"


def a_consent(patient, role="hip", **fields) -> AbdmConsent:
    now = timezone.now()
    return AbdmConsent.objects.create(
        **{
            "role": role, "patient": patient, "artefact_id": f"artefact {AbdmConsent.objects.count()}",
            "state": "granted", "hi_types": list(holding.KINDS), "from_at": now - timedelta(days=400),
            "to_at": now, "expires_at": now + timedelta(days=1), **fields,
        }
    )  # fmt: skip


# --- the patient ----------------------------------------------------------------------------------
def test_an_abha_is_verified_by_the_code_that_came_by_sms(past):
    patient, browser = unverified(past.patient), as_patient(past.patient.account)
    shown = browser.get(page_of(patient))
    assert "··-····-····-0008" in shown.text
    assert "91-1000-0000" not in shown.text
    asked = browser.post(f"{page_of(patient)}code/").context["asked"]
    wrong = browser.post(f"{page_of(patient)}verify/", {"asked": asked, "code": "000000"})
    assert wrong.status_code == 409
    short = browser.post(f"{page_of(patient)}verify/", {"asked": asked, "code": "12"})
    assert short.status_code == 422
    right = browser.post(
        f"{page_of(patient)}verify/", {"asked": asked, "code": "123456"}, follow=True
    )
    assert "Your ABHA is verified." in right.text
    assert "asha@sbx" in right.text


def test_a_code_for_one_of_the_family_verifies_no_other(past):
    patient, browser = unverified(past.patient), as_patient(past.patient.account)
    other = a_patient(past.patient.account, abha_number="91100000000008")
    asked = browser.post(f"{page_of(patient)}code/").context["asked"]
    taken = browser.post(f"{page_of(other)}verify/", {"asked": asked, "code": "123456"})
    assert taken.status_code == 404
    made_up = browser.post(f"{page_of(other)}verify/", {"asked": "made up", "code": "123456"})
    assert made_up.url == page_of(other)
    other.refresh_from_db()
    assert not other.abha_is_verified


@pytest.mark.usefixtures("one_moment")
def test_an_abha_service_that_is_away_or_asked_too_often_is_said_plainly(past, settings, calls):
    patient, browser = unverified(past.patient), as_patient(past.patient.account)
    settings.ABDM = settings.ABDM | {"abha_url": "http://127.0.0.1:9"}
    assert "does not answer now" in browser.post(f"{page_of(patient)}code/", follow=True).text
    statuses = [browser.post(f"{page_of(patient)}code/").status_code for _ in range(5)]
    assert statuses == [302, 302, 302, 302, 429]


def test_a_consultation_is_put_into_the_app_by_the_patients_own_wish(past):
    browser = as_patient(past.patient.account)
    assert "Show it in my app" in browser.get(page_of(past.patient)).text
    answer = browser.post(f"/consultations/{past.uid}/abha-link/", follow=True)
    assert "On its way" in answer.text
    assert AbdmMessage.objects.filter(kind="link.token").count() == 1
    past.care_context.linked_at = timezone.now()
    past.care_context.save()
    assert "In your app" in browser.get(page_of(past.patient)).text


def test_consents_say_to_whom_for_what_and_until_when(past):
    a_consent(past.patient, requester="City hospital", hi_types=["Prescription"])
    a_consent(past.patient, requester="Old clinic", state="revoked")
    a_consent(past.patient, requester="Past clinic", expires_at=timezone.now())
    shown = as_patient(past.patient.account).get(page_of(past.patient)).text
    for words in ("City hospital", "Prescriptions", "Granted", "Withdrawn", "Run out"):
        assert words in shown


@pytest.mark.usefixtures("one_moment")
def test_codes_for_an_abha_are_counted_by_page_and_program_together(past):
    app, browser = Program(past.patient.account), as_patient(past.patient.account)
    for _number in range(CODES_AN_HOUR - 1):
        assert browser.post(f"{page_of(past.patient)}code/").status_code == 200
    assert app.post(f"patients/{past.patient.uid}/abha/code/").status_code == 200
    too_many = app.post(f"patients/{past.patient.uid}/abha/code/")
    assert (too_many.status_code, too_many.json()["code"]) == (429, "too_many")
    assert 0 < int(too_many["Retry-After"]) <= 3600
    assert browser.post(f"{page_of(past.patient)}code/").status_code == 429


def test_who_looked_is_listed_and_the_patient_is_not(past, room):
    as_staff(room.doctor.user).get(f"/doctor/consultations/{room.uid}/elsewhere/")
    browser = as_patient(past.patient.account)
    looks = browser.get(page_of(past.patient)).context["looks"]
    assert (looks[0].who, looks[0].what) == (
        room.doctor.user.name,
        "Read your records from elsewhere",
    )
    assert past.patient.account.name not in {look.who for look in looks if look.who}
    assert len(browser.get(page_of(past.patient)).context["looks"]) == len(looks)


def test_what_one_did_often_within_a_minute_stands_once(past, room):
    for _often in range(3):
        record("letter.read", "letter", by=room.doctor.user, patient=past.patient)
    looks = as_patient(past.patient.account).get(page_of(past.patient)).context["looks"]
    assert 1 <= [look.what for look in looks].count("Worked on your records") < 3


# --- the doctor -----------------------------------------------------------------------------------
def test_the_doctor_asks_in_the_room_and_sees_how_it_stands(room):
    browser, address = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/"
    assert "Ask the patient's consent" in browser.get(address).text
    asked = browser.post(f"{address}elsewhere/ask/", {"since": "2025-01-01"}, follow=True)
    assert "Asked for" in asked.text
    sent = AbdmMessage.objects.get(kind="consent.ask").body["body"]["consent"]
    assert sent["permission"]["dateRange"]["from"].startswith("2025-01-01")
    consent = AbdmConsent.objects.get()
    AbdmConsent.objects.update(state="denied")
    assert "Denied" in browser.get(address).text
    for since in ("", "2100-01-01", "x"):
        browser.post(f"{address}elsewhere/ask/", {"since": since})
    assert AbdmConsent.objects.get() == consent


def test_without_a_verified_abha_or_after_the_end_nothing_is_asked(room):
    address, browser = f"/doctor/consultations/{room.uid}/", as_staff(room.doctor.user)
    unverified(room.patient)
    assert "is not verified, so nothing can be asked for" in browser.get(address).text
    browser.post(f"{address}elsewhere/ask/", {"since": "2025-01-01"})
    type(room).objects.filter(pk=room.pk).update(state="completed", ended_at=timezone.now())
    browser.post(f"{address}elsewhere/ask/", {"since": "2025-01-01"})
    assert not AbdmConsent.objects.exists()


def test_documents_are_read_until_the_consent_ends(past, room):
    consent = a_consent(past.patient, "hiu", requested_by=room.doctor.user)
    for kind in (OP_CONSULT, PRESCRIPTION):
        AbdmRecord.objects.create(
            consent=consent, care_context=kind, bundle=document(records.a_record(past), kind)
        )
    browser, address = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/"
    assert "Read 2 documents" in browser.get(address).text
    page = browser.get(f"{address}elsewhere/").text
    for words in ("Acute tonsillitis", "Paracetamol", "penicillin", "Throat red", "follow"):
        assert words.lower() in page.lower(), words
    AbdmConsent.objects.update(expires_at=timezone.now())
    assert "Acute tonsillitis" not in browser.get(f"{address}elsewhere/").text
    assert "Read 2 documents" not in browser.get(address).text


def from_elsewhere(consent, name: str, day: str = "", file: bytes = b"") -> AbdmRecord:
    head = {"resourceType": "Composition", "title": name, **({"date": day} if day else {})}
    held = {"resourceType": "Binary", "contentType": "image/png", "data": b64encode(file).decode()}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": head}, {"resource": held}]}
    return AbdmRecord.objects.create(consent=consent, care_context=name, bundle=bundle)


def test_the_newest_ten_are_shown_and_the_older_ones_on_the_next_page(past, room):
    consent = a_consent(past.patient, "hiu", requested_by=room.doctor.user)
    from_elsewhere(consent, "Without a day")
    for day in (7, 1, 4, 10, 2, 9, 3, 8, 6, 5):
        from_elsewhere(consent, f"Document of day {day}", f"2026-01-{day:02}T10:00:00+05:30")
    browser, address = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/elsewhere/"
    first = browser.get(address).text
    assert re.findall(r"Document of day (\d+)", first) == [str(day) for day in range(10, 0, -1)]
    assert "Without a day" not in first
    rest = browser.get(f"{address}?from=10").text
    assert ("Without a day" in rest, "Document of day" in rest) == (True, False)
    assert ("?from=10" in first, "?from=20" in rest) == (True, False)
    assert browser.get(f"{address}?from=x").text.count("Document of day") == 10


def test_one_document_at_a_time_is_held_in_memory(past, room):
    consent = a_consent(past.patient, "hiu", requested_by=room.doctor.user)
    for number in range(8):
        from_elsewhere(consent, f"Document {number}", file=b"x" * 1_000_000)
    browser, address = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/elsewhere/"
    browser.get(address)  # what is read once for all
    tracemalloc.start()
    assert browser.get(address).text.count("Document ") == 8
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000  # one of them in base64, as it comes and as it is read


def test_photos_and_pdfs_inside_a_document_open_until_the_consent_ends(past, room):
    consent = a_consent(past.patient, "hiu", requested_by=room.doctor.user)
    row = AbdmRecord.objects.create(
        consent=consent, care_context="a", bundle=document(records.a_record(past), OP_CONSULT)
    )
    browser, address = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/elsewhere/"
    opens = f"{address}{row.uid}/files/0/"
    assert opens in browser.get(address).text
    answer = browser.get(opens)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")  # type: ignore[attr-defined]
    event = AuditEvent.objects.get(action="abdm.file")
    assert (event.by, event.patient) == (room.doctor.user, past.patient)
    assert browser.get(f"{address}{row.uid}/files/1/").status_code == 404
    other = records.a_room()
    theirs = as_staff(other.doctor.user)
    for mine in (room, other):  # neither by this consultation nor by their own
        path = f"/doctor/consultations/{mine.uid}/elsewhere/{row.uid}/files/0/"
        assert theirs.get(path).status_code == 404
    assert len(refused_to(other.doctor.user)) == 2
    for ended in ({"expires_at": timezone.now()}, {"state": "revoked"}):
        AbdmConsent.objects.update(**ended)
        assert browser.get(opens).status_code == 404
        AbdmConsent.objects.update(expires_at=timezone.now() + timedelta(days=1))


def test_a_file_that_is_not_what_it_says_is_not_opened(past, room):
    consent = a_consent(past.patient, "hiu", requested_by=room.doctor.user)
    bad = [b"<html>", b"%PDF-1.7 <script>", b"\xff\xd8\xff\xe0<html>"]
    attachments = [
        *({"contentType": "application/pdf", "data": b64encode(one).decode()} for one in bad),
        {"contentType": "image/png", "data": "%%%"},
        {"contentType": "text/html", "data": b64encode(b"<script>1</script>").decode()},
        {"contentType": "application/pdf", "data": 7},
        {"contentType": "image/jpeg", "data": b64encode(a_photo()).decode(), "title": "../x.html"},
    ]
    content = [{"attachment": one} for one in attachments]
    bundle = {"entry": [{"resource": {"resourceType": "DocumentReference", "content": content}}]}
    row = AbdmRecord.objects.create(consent=consent, care_context="a", bundle=bundle)
    browser, address = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/elsewhere/"
    for number in range(4):
        answer = browser.get(f"{address}{row.uid}/files/{number}/", follow=True)
        assert "damaged or not safe" in answer.text
    photo = browser.get(f"{address}{row.uid}/files/4/")
    assert (photo["Content-Type"], photo["Content-Disposition"]) == (
        "image/jpeg", 'attachment; filename="x.jpg"',
    )  # fmt: skip
    assert browser.get(f"{address}{row.uid}/files/5/").status_code == 404


# --- who may not ----------------------------------------------------------------------------------
def test_strangers_and_other_doctors_get_404_and_are_written_down(past, room):
    stranger, other = a_patient().account, records.a_room().doctor.user
    browser = as_patient(stranger)
    assert browser.get(page_of(past.patient)).status_code == 404
    for path in (f"{page_of(past.patient)}code/", f"{page_of(past.patient)}verify/"):
        assert browser.post(path).status_code == 404
    assert browser.post(f"/consultations/{past.uid}/abha-link/").status_code == 404
    assert len(refused_to(stranger)) == 4
    doctor = as_staff(other)
    assert doctor.get(f"/doctor/consultations/{room.uid}/elsewhere/").status_code == 404
    assert doctor.post(f"/doctor/consultations/{room.uid}/elsewhere/ask/").status_code == 404
    assert len(refused_to(other)) == 2


def test_where_the_network_is_not_in_use_there_is_nothing_of_it(past, room, settings):
    settings.ABDM = settings.ABDM | {"url": ""}
    browser = as_patient(past.patient.account)
    assert browser.get(page_of(past.patient)).status_code == 404
    assert "ABHA</a>" not in browser.get("/patients/").text
    doctor = as_staff(room.doctor.user)
    assert "Records elsewhere" not in doctor.get(f"/doctor/consultations/{room.uid}/").text
    assert doctor.get(f"/doctor/consultations/{room.uid}/elsewhere/").status_code == 404
    assert not AuditEvent.objects.filter(action="abdm.read").exists()
