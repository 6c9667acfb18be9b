"""Pages for everybody: checking a prescription's code, and complaining."""

import pytest

from accounts.models import AuditEvent, Facility
from consult import actions
from consult.models import Grievance, Prescription
from consult.views.public import CHECKS_PER_ADDRESS, GRIEVANCES_PER_ADDRESS
from tests.factories import (
    a_clinic,
    a_patient,
    a_state,
    a_user,
    as_patient,
    in_the_room,
    on_duty,
    prescribed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def prescription() -> Prescription:
    clinic = a_clinic()
    return prescribed(in_the_room(clinic, on_duty(clinic), a_patient(name="Leela Nair")))


# --- the check ----------------------------------------------------------------------------------
def test_a_valid_code_shows_doctor_and_date_and_never_patient_or_medicines(client, prescription):
    page = client.get(f"/check/{prescription.check_code}")
    assert page.status_code == 200
    words = page.content.decode()
    doctor = prescription.issued_by
    for shown in ["Valid", prescription.number, "Dr Raghav Rao", doctor.registration_number]:
        assert shown in words
    for shown in ["Number of medicines", "<dd>1</dd>", "Not given out yet"]:
        assert shown in words
    for hidden in ["Leela", "Nair", "Paracetamol", "Viral fever", "12 Canal Road"]:
        assert hidden not in words


def test_the_code_is_typed_as_it_comes(client, prescription):
    code, spaced = prescription.check_code, prescription.spaced_code
    in_hindi = code.translate(str.maketrans("23456789", "२३४५६७८९"))
    for typed in (code, spaced, spaced.lower(), f" {spaced} ", code.replace("", " "), in_hindi):
        assert client.get("/check/", {"code": typed}).url == f"/check/{code}/"
    for address in (f"/check/{code}/", f"/check/{code.lower()}", f"/check/{spaced}/"):
        assert client.get(address).context["prescription"] == prescription


@pytest.mark.parametrize("typed", ["", " ", "-", "क ख ग", "x" * 41])
def test_what_is_no_code_is_asked_for_again(client, typed):
    page = client.get("/check/", {"code": typed})
    assert page.status_code == 200
    assert 'class="error"' in page.content.decode()


def test_an_unknown_code_and_a_drafts_are_unknown(client, prescription):
    Prescription.objects.create(
        consultation=prescription.consultation, version=2, check_code="DRAFT2345678"
    )
    for code in ("ABCDEFGHJKMN", "DRAFT2345678", "x"):
        page = client.get(f"/check/{code}/")
        assert page.status_code == 404
        assert "Unknown" in page.content.decode()


def test_the_square_code_leads_there_by_128_random_bits_and_no_other_spelling(client, prescription):
    assert len(prescription.check_id) == 22
    page = client.get(f"/check/{prescription.check_id}")
    assert page.context["prescription"] == prescription
    assert client.get(f"/check/{prescription.check_id.swapcase()}").status_code == 404
    ids = {Prescription().check_id for _ in range(200)}
    assert len(ids) == 200


def test_what_the_health_centre_gave_out_is_told_and_not_what_it_was(client, prescription):
    line = prescription.lines.get()
    centre = Facility.objects.create(name="Ernakulam PHC", kind="phc", state=a_state())
    for given, told in [
        ("not_in_stock", "Not given out yet"), ("partly", "Partly given out"), ("given", "Given out"),
    ]:  # fmt: skip
        actions.dispense(
            prescription=prescription, facility=centre, given={line: (given, "")}, by=a_user()
        )
        page = client.get(f"/check/{prescription.check_code}/").content.decode()
        assert f"<dd>{told}</dd>" in page


def test_a_replaced_one_says_so(client, prescription):
    prescription.supersede()
    page = client.get(f"/check/{prescription.check_code}/").content.decode()
    assert "Replaced by a newer one" in page
    assert "Ask the patient for it." in page


@pytest.mark.usefixtures("one_moment")
def test_who_guesses_is_stopped_and_others_are_not(client, prescription):
    for _guess in range(CHECKS_PER_ADDRESS):
        assert client.get("/check/ABCDEFGHJKMN/").status_code == 404
    for path in ("/check/ABCDEFGHJKMN/", f"/check/{prescription.check_code}/"):
        page = client.get(path)
        assert page.status_code == 429
        assert "Too many tries" in page.content.decode()
    elsewhere = client.get(f"/check/{prescription.check_code}/", REMOTE_ADDR="10.0.0.9")
    assert elsewhere.status_code == 200


def test_codes_are_hard_to_guess_and_easy_to_read(prescription):
    codes = {prescription.check_code} | {Prescription().check_code for _ in range(200)}
    assert len(codes) == 201
    assert {len(code) for code in codes} == {12}
    assert set("".join(codes)) & set("01ILOU") == set()


# --- complaints ---------------------------------------------------------------------------------
COMPLAINT = {"about": "waiting", "words": "Two hours in the line"}


def test_anybody_may_complain(client):
    assert client.get("/grievance/").status_code == 200
    page = client.post("/grievance/", COMPLAINT | {"phone": "098765 43210"})
    grievance = Grievance.objects.get()
    assert page.status_code == 201
    assert grievance.number in page.content.decode()
    assert (grievance.words, grievance.phone) == ("Two hours in the line", "+919876543210")
    assert (grievance.by, grievance.state) == (None, "new")
    assert AuditEvent.objects.get(action="grievance.file").target == f"grievance:{grievance.number}"


def test_who_is_signed_in_is_known_and_need_not_type_the_number():
    account = a_user()
    client = as_patient(account)
    assert account.phone in client.get("/grievance/").content.decode()
    client.post("/grievance/", COMPLAINT)
    assert Grievance.objects.get().by == account


@pytest.mark.parametrize(
    "change",
    [{"about": ""}, {"about": "weather"}, {"words": " "}, {"words": "x" * 4001}, {"phone": "12"}],
)
def test_a_complaint_that_is_not_whole_is_shown_again(client, change):
    page = client.post("/grievance/", COMPLAINT | change)
    assert page.status_code == 422
    assert 'class="error"' in page.content.decode()
    assert Grievance.objects.count() == 0


@pytest.mark.usefixtures("one_moment")
def test_one_address_complains_so_often_an_hour_and_no_more(client):
    for _complaint in range(GRIEVANCES_PER_ADDRESS):
        assert client.post("/grievance/", COMPLAINT).status_code == 201
    assert client.post("/grievance/", COMPLAINT).status_code == 429
    assert client.post("/grievance/", COMPLAINT, REMOTE_ADDR="10.0.0.9").status_code == 201
    assert Grievance.objects.count() == GRIEVANCES_PER_ADDRESS + 1
