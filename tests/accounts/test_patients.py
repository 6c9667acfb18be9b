"""The people of one account: who they are, who looks like whom, and nobody else's."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.html import escape

from accounts.checks import is_luhn
from accounts.models import AuditEvent, Patient
from tests.at_once import at_once
from tests.factories import (
    a_district,
    a_patient,
    a_state,
    a_user,
    as_patient,
    queries_of,
    refused_to,
    without_csrf,
)

NEEDS_ADULT = "A patient under 18 needs an adult: name and relation."
ABHA_GOOD = "91234567890129"
ABHA_MISTYPED = "91234567890121"

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha(db):
    return a_user()


def filled(**changes) -> dict:
    """The form as Asha would send it."""
    form = {
        "name": "Asha Menon",
        "birth_date": "1990-05-17",
        "age": "",
        "sex": "female",
        "guardian_name": "",
        "guardian_relation": "",
        "address": "12 Canal Road, 682001",
        "state": str(a_state().pk),
        "district": "",
        "language": "hi",
        "abha_number": "",
    }
    return form | changes


def saved(by, /, **changes):
    return as_patient(by).post("/patients/new/", filled(**changes))


def days_ago(days) -> str:
    return str(timezone.localdate() - timedelta(days=days))


def birthday(years, days_later=0) -> str:
    """The birth date of somebody who turns `years` in that many days."""
    day = timezone.localdate() + timedelta(days=days_later)
    return str(day.replace(year=day.year - years, day=min(day.day, 28)))


# --- a new patient ------------------------------------------------------------------------------
def test_a_person_is_registered_and_goes_on_to_the_clinics(asha):
    district = a_district()
    answer = saved(asha, name="  Asha   Menon ", district=str(district.pk))

    patient = Patient.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/book/{patient.uid}/")
    assert (patient.account, patient.name, patient.language) == (asha, "Asha Menon", "hi")
    assert (str(patient.birth_date), patient.birth_date_is_exact) == ("1990-05-17", True)
    assert patient.district == district
    event = AuditEvent.objects.get(action="patient.register")
    assert (event.by, event.patient, event.refused) == (asha, patient, False)


def test_the_number_is_twelve_digits_that_notice_a_slip_and_is_nobody_elses(asha):
    numbers = {a_patient(asha).number for _n in range(20)}
    assert len(numbers) == 20
    for number in numbers:
        assert (len(number), is_luhn(number)) == (12, True)
        slip = number[:5] + str((int(number[5]) + 1) % 10) + number[6:]
        assert is_luhn(slip) is False


def test_what_the_form_does_not_ask_cannot_be_sent_along(asha):
    stranger = a_user()
    saved(asha, account=str(stranger.pk), number="111111111111", uid=str(uuid.uuid4()))
    patient = Patient.objects.get()
    assert patient.account == asha
    assert patient.number != "111111111111"


def test_a_name_in_any_script_is_a_name_and_is_never_taken_for_html(asha):
    assert saved(asha, name="आशा मेनन").status_code == 302
    assert saved(asha, name="<b onclick=x>Ravi").status_code == 302
    page = as_patient(asha).get("/patients/").text
    assert "आशा मेनन" in page
    assert escape("<b onclick=x>Ravi") in page
    assert "<b onclick" not in page


def test_nothing_is_lost_when_something_is_wrong(asha):
    answer = saved(asha, name="12345", address="House 7")
    assert answer.status_code == 422
    assert "Write the name in letters." in answer.text
    assert "House 7" in answer.text
    assert 'value="12345"' in answer.text
    assert Patient.objects.count() == 0


@pytest.mark.parametrize("missing", ["name", "sex", "address", "state", "language"])
def test_what_a_doctor_must_know_is_required(asha, missing):
    assert saved(asha, **{missing: ""}).status_code == 422
    assert Patient.objects.count() == 0


def test_a_broken_form_gets_a_page_and_not_a_crash(asha):
    broken = {
        "name": "Asha\x00",
        "birth_date": "17.05",
        "age": "many",
        "sex": "none",
        "state": "0 OR 1=1",
        "district": "-1",
        "language": "xx",
    }
    assert saved(asha, **broken).status_code == 422
    assert saved(asha, state="9" * 5000, district="9" * 5000).status_code == 422
    assert as_patient(asha).post("/patients/new/", {}).status_code == 422
    assert Patient.objects.count() == 0


def test_the_district_has_to_lie_in_the_state(asha):
    answer = saved(asha, state="10", district=str(a_district().pk))
    assert answer.status_code == 422
    assert "This district is in another state." in answer.text


def test_the_districts_of_the_chosen_state_are_offered_and_no_others(client):
    ernakulam = f'value="{a_district().pk}"'
    assert ernakulam in client.get("/patients/districts/?state=32").text
    assert ernakulam not in client.get("/patients/districts/?state=10").text
    for junk in ("", "x", "-1", "²", "9" * 30, "9" * 5000):
        answer = client.get("/patients/districts/", {"state": junk})
        assert (answer.status_code, answer.text.count("<option")) == (200, 1)


# --- how old ------------------------------------------------------------------------------------
def test_the_age_does_where_nobody_knows_the_birth_date(asha):
    assert saved(asha, birth_date="", age="34").status_code == 302
    patient = Patient.objects.get()
    assert (patient.age, patient.birth_date_is_exact) == (34, False)


def test_one_of_both_is_needed(asha):
    answer = saved(asha, birth_date="", age="")
    assert answer.status_code == 422
    assert "Give the date of birth or the age." in answer.text


def test_nobody_is_born_tomorrow_or_126_years_ago(asha):
    adult = {"guardian_name": "Meena", "guardian_relation": "mother"}
    answer = saved(asha, birth_date=days_ago(-1), **adult)
    assert answer.status_code == 422
    assert "The date of birth lies in the future." in answer.text
    assert saved(asha, birth_date=days_ago(0), **adult).status_code == 302
    answer = saved(asha, birth_date=birthday(126))
    assert answer.status_code == 422
    assert "Check the year of birth." in answer.text
    assert saved(asha, birth_date="", age="126").status_code == 422


def test_a_child_needs_an_adult_until_the_eighteenth_birthday(asha):
    child = {"name": "Ravi", "birth_date": birthday(18, days_later=7)}
    answer = saved(asha, **child)
    assert answer.status_code == 422
    assert answer.text.count(NEEDS_ADULT) == 2
    assert saved(asha, **child, guardian_name="Asha Menon").text.count(NEEDS_ADULT) == 1
    assert saved(asha, birth_date="", age="17").status_code == 422
    assert Patient.objects.count() == 0

    adult = {"guardian_name": "Asha Menon", "guardian_relation": "mother"}
    assert saved(asha, **child, **adult).status_code == 302
    assert saved(asha, name="Lakshmi", birth_date=birthday(18)).status_code == 302


# --- ABHA ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("typed", [ABHA_GOOD, "91-2345-6789-0129", "९१-२३४५-६७८९-०१२९"])
def test_an_abha_number_is_kept_as_fourteen_plain_digits(asha, typed):
    assert saved(asha, abha_number=typed).status_code == 302
    assert Patient.objects.get().abha_number == ABHA_GOOD


@pytest.mark.parametrize("typed", ["9123456789012", "912345678901212", "none", "-"])
def test_an_abha_number_of_another_length_is_refused(asha, typed):
    answer = saved(asha, abha_number=typed)
    assert answer.status_code == 422
    assert "An ABHA number has 14 digits. You may leave it empty." in answer.text


def test_a_mistyped_abha_number_is_a_warning_and_no_refusal(asha):
    answer = saved(asha, abha_number=ABHA_MISTYPED)
    assert answer.status_code == 409
    assert "The ABHA number looks mistyped." in answer.text
    assert Patient.objects.count() == 0
    assert saved(asha, abha_number=ABHA_MISTYPED, sure="1").status_code == 302
    assert Patient.objects.get().abha_number == ABHA_MISTYPED


# --- who looks like whom ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "again",
    [
        {"name": "asha menon"},
        {"name": "ASHA MENON", "birth_date": "", "age": "70", "sex": "other"},
        {"name": "Asha M.", "birth_date": "1991-01-01"},
    ],
)
def test_a_likely_duplicate_is_shown_before_it_is_saved(asha, again):
    saved(asha)
    first = Patient.objects.get()
    answer = saved(asha, **again)
    assert answer.status_code == 409
    assert "Is it one of these?" in answer.text
    assert f'href="/book/{first.uid}/"' in answer.text
    assert '<input type="hidden" name="sure" value="1">' in answer.text
    assert Patient.objects.count() == 1

    assert saved(asha, **again, sure="1").status_code == 302
    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Lakshmi Menon"},
        {"name": "Asha Nair", "birth_date": "2001-05-17"},
        {"name": "Asha Nair", "sex": "male"},
    ],
)
def test_somebody_else_of_the_family_is_no_duplicate(asha, other):
    saved(asha)
    assert saved(asha, **other).status_code == 302


def test_the_same_name_in_another_family_is_never_shown(asha):
    a_patient(name="Asha Menon")
    assert saved(asha).status_code == 302


def test_both_doubts_are_shown_at_once(asha):
    saved(asha)
    answer = saved(asha, abha_number=ABHA_MISTYPED)
    assert answer.status_code == 409
    assert "Is it one of these?" in answer.text
    assert "The ABHA number looks mistyped." in answer.text


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_double_click_registers_one_person():
    asha, form = a_user(), filled()
    tabs = [as_patient(asha) for _n in range(4)]
    statuses = at_once(4, lambda n: tabs[n].post("/patients/new/", form).status_code)
    assert sorted(statuses) == [302, 409, 409, 409]
    assert Patient.objects.count() == 1


# --- changing -----------------------------------------------------------------------------------
def test_what_was_wrong_is_changed_and_audited(asha):
    patient = a_patient(asha)
    browser = as_patient(asha)
    page = browser.get(f"/patients/{patient.uid}/")
    assert 'value="Asha Menon"' in page.text

    answer = browser.post(f"/patients/{patient.uid}/", filled(name="Asha K. Menon"))

    assert (answer.status_code, answer["Location"]) == (302, "/patients/")
    changed = Patient.objects.get()
    assert (changed.name, changed.number) == ("Asha K. Menon", patient.number)
    events = AuditEvent.objects.filter(patient=patient).order_by("pk")
    assert [event.action for event in events] == ["patient.read", "patient.update"]


def test_a_wrong_change_changes_nothing(asha):
    patient = a_patient(asha)
    browser = as_patient(asha)
    for changes, status in [({"name": "7"}, 422), ({"abha_number": ABHA_MISTYPED}, 409)]:
        answer = browser.post(f"/patients/{patient.uid}/", filled(**changes))
        assert answer.status_code == status
    assert Patient.objects.get().name == "Asha Menon"
    assert Patient.objects.get().abha_number == ""
    answer = browser.post(f"/patients/{patient.uid}/", filled(abha_number=ABHA_MISTYPED, sure="1"))
    assert answer.status_code == 302


def test_an_age_that_was_not_changed_leaves_the_reckoned_birth_date(asha):
    patient = a_patient(asha, birth_date=birthday(34, days_later=-200), birth_date_is_exact=False)
    browser = as_patient(asha)
    page = browser.get(f"/patients/{patient.uid}/").text
    assert 'name="age" value="34"' in page
    assert 'name="birth_date" value' not in page

    change = filled(birth_date="", age="34", address="House 7")
    assert browser.post(f"/patients/{patient.uid}/", change).status_code == 302
    kept = Patient.objects.get()
    assert (kept.address, str(kept.birth_date)) == ("House 7", str(patient.birth_date))
    assert kept.birth_date_is_exact is False

    browser.post(f"/patients/{patient.uid}/", filled(birth_date="", age="40"))
    assert Patient.objects.get().age == 40


# --- strangers ----------------------------------------------------------------------------------
def test_another_familys_person_is_not_found_and_the_try_is_audited(asha):
    patient = a_patient(name="Lakshmi Nair")
    browser = as_patient(asha)
    answers = [
        browser.get(f"/patients/{patient.uid}/"),
        browser.post(f"/patients/{patient.uid}/", filled()),
        browser.get(f"/book/{patient.uid}/"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert "Lakshmi" not in answers[0].text
    assert refused_to(asha) == [f"patient:{patient.uid}"] * 3
    assert Patient.objects.get().name == "Lakshmi Nair"


def test_a_person_who_is_not_there_is_not_found_either_and_looks_the_same(asha):
    patient, nobody = a_patient(), uuid.uuid4()
    browser = as_patient(asha)
    theirs = browser.get(f"/patients/{patient.uid}/")
    missing = browser.get(f"/patients/{nobody}/")
    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert without_csrf(missing).replace(str(nobody), str(patient.uid)) == without_csrf(theirs)
    assert refused_to(asha) == [f"patient:{patient.uid}"]


def test_the_list_shows_ones_own_family_only(asha):
    a_patient(asha, name="Ravi Menon")
    a_patient(name="Lakshmi Nair")
    page = as_patient(asha).get("/patients/")
    assert page.status_code == 200
    assert "Ravi Menon" in page.text
    assert "Lakshmi Nair" not in page.text
    assert AuditEvent.objects.get(action="patients.list").by == asha


def test_an_empty_family_is_said_plainly(asha):
    assert "Nobody yet." in as_patient(asha).get("/patients/").text


def test_the_list_costs_the_same_for_three_as_for_one(asha):
    browser = as_patient(asha)
    a_patient(asha, district=a_district())
    one = queries_of(browser, "/patients/")
    a_patient(asha, name="Ravi")
    a_patient(asha, name="Lakshmi", district=a_district())
    assert (queries_of(browser, "/patients/"), one) == (3, 3)


def test_registering_costs_few_queries(asha, django_assert_num_queries):
    browser, form = as_patient(asha), filled()
    browser.get("/patients/")
    with django_assert_num_queries({"postgresql": 7, "sqlite": 9}[connection.vendor]):
        assert browser.post("/patients/new/", form).status_code == 302


def test_other_methods_are_refused(asha):
    browser, patient = as_patient(asha), a_patient(asha)
    assert browser.post("/patients/").status_code == 405
    for path in ("/patients/new/", f"/patients/{patient.uid}/"):
        assert [browser.put(path).status_code, browser.delete(path).status_code] == [405, 405]
