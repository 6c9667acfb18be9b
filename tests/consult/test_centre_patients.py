"""Finding and registering patients at a health centre: exact numbers, signed keys, and duplicates shown."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from accounts.checks import luhn_digit
from accounts.finding import Mistyped, find_by_name, find_by_number
from accounts.models import AuditEvent, Enrolment, Patient, RateLimit, User
from consult.models import Consultation
from consult.views.centre import patients as page_of_patients
from tests.factories import (
    a_facility,
    a_health_worker,
    a_hub,
    a_patient,
    a_state,
    a_user,
    as_patient,
    as_staff,
    at_centre,
    centre_of,
    known_at,
    on_duty,
    refused_to,
    sent,
)

pytestmark = pytest.mark.django_db
ABHA = "91100000000008"
FIND, HERE, REGISTER = "/centre/patients/", "/centre/patients/here/", "/centre/patients/new/"


def found(typed: str) -> list[Patient]:
    return list(find_by_number(typed))


def why(typed: str) -> str:
    with pytest.raises(Mistyped) as wrong:
        find_by_number(typed)
    return wrong.value.reason


def one_digit_off(number: str) -> list[str]:
    """The number with its last, a middle and the second digit wrong by one."""
    return [
        number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]
        for at in (len(number) - 1, len(number) // 2, 1)
    ]


# --- by number ----------------------------------------------------------------------------------
def test_a_mobile_number_finds_its_whole_family_however_it_is_written():
    account = a_user()
    family = [a_patient(account, name=name) for name in ("Asha", "Bala")]
    a_patient()
    local = account.phone.removeprefix("+91")
    devanagari = local.translate(str.maketrans("0123456789", "०१२३४५६७८९"))
    for typed in (account.phone, local, f"0{local}", f"{local[:5]} {local[5:]}", devanagari):
        assert found(typed) == family


def test_a_patient_number_finds_one_person_and_a_wrong_digit_is_noticed():
    patient = a_patient(number="23456789012" + luhn_digit("23456789012"))
    a_patient()
    assert found(patient.number) == found(patient.spaced_number) == [patient]
    assert {why(wrong) for wrong in one_digit_off(patient.number)} == {"check_digit"}


def test_an_abha_number_finds_one_person_and_a_wrong_digit_is_noticed():
    patient = a_patient(abha_number=ABHA)
    a_patient()
    assert found(ABHA) == found("91-1000-0000-0008") == [patient]
    assert {why(wrong) for wrong in one_digit_off(ABHA)} == {"check_digit"}


def test_an_abha_number_that_was_stored_in_spite_of_its_check_digit_is_found():
    doubtful = one_digit_off(ABHA)[0]
    patient = a_patient(abha_number=doubtful)
    assert found(doubtful) == [patient]


def test_twelve_digits_that_are_a_mobile_and_a_patient_number_find_both():
    digits = "9198765432"
    both = next(
        number
        for end in range(100)
        if luhn_digit((number := f"{digits}{end:02d}")[:11]) == number[11]
    )
    by_phone = a_patient(a_user(phone=f"+{both}"), name="By phone")
    by_number = a_patient(number=both, name="By number")
    assert found(both) == [by_number, by_phone]


@pytest.mark.parametrize("typed", ["12345", "1234567890", "9876543", "98765432101234567", "abc"])
def test_a_number_of_no_kind_is_counted_again(typed):
    assert why(typed) == "length"


def test_an_empty_abha_number_finds_nobody():
    a_patient()
    assert found("9198" + "7" * 8) == []
    assert why("") == "length"


# --- by name ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "age", "village", "finds"),
    [
        ("Asha", 34, "Belwa", True), ("menon asha", 34, "belwa", True), ("Asha", 31, "Belwa", True),
        ("Asha", 37, "Belwa", True), ("Asha", 29, "Belwa", False), ("Asha", 38, "Belwa", False),
        ("Usha", 34, "Belwa", False), ("Asha", 34, "Rampur", False),
    ],
)  # fmt: skip
def test_name_age_and_village_must_all_be_right(name, age, village, finds):
    patient = a_patient(age=34, address="Near the well, Belwa")
    people = find_by_name(name=name, age=age, village=village, state=a_state())
    assert list(people) == ([patient] if finds else [])


def test_people_of_another_state_are_not_found_by_name():
    a_patient(address="Belwa", state=a_state(10))
    assert list(find_by_name(name="Asha", age=34, village="Belwa", state=a_state(32))) == []


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Asha"}, {"name": "Asha", "age": "34"}, {"name": "Asha", "village": "Belwa"},
        {"age": "34", "village": "Belwa"}, {"name": " ", "age": "34", "village": " "}, {"number": " "},
    ],
)  # fmt: skip
def test_a_part_of_it_finds_nobody_and_is_said(meena, given):
    a_patient(address="Belwa")
    answer = as_staff(meena).get(FIND, given)
    assert answer.status_code == 422
    assert "Give a number, or the name with age and village: all three." in answer.text
    assert "Asha Menon" not in answer.text


# --- the page -----------------------------------------------------------------------------------
def key_in(page: str) -> str:
    return re.findall(r'name="found" value="([^"]+)"', page)[0]


def test_the_page_says_that_a_digit_is_wrong_or_one_is_missing(meena):
    patient = a_patient(number="23456789012" + luhn_digit("23456789012"))
    browser = as_staff(meena)
    for typed, words in [
        (one_digit_off(patient.number)[0], "One digit of this number is wrong."),
        ("98765", "A mobile number has 10 digits, a patient number 12, an ABHA number 14."),
    ]:
        answer = browser.get(FIND, {"number": typed})
        assert (answer.status_code, words in answer.text) == (422, True)


def test_finding_opens_nothing_until_it_is_said_that_the_patient_is_here(meena):
    patient = a_patient()
    browser, opened = as_staff(meena), reverse("consult:centre_patient", args=[patient.uid])
    page = browser.get(FIND, {"number": patient.number}).text
    assert browser.get(opened).status_code == 404
    assert refused_to(meena) == [f"patient:{patient.uid}"]
    assert browser.post(HERE, {"found": key_in(page)}).url == opened
    assert browser.get(opened).status_code == 200
    enrolment = Enrolment.objects.get()
    assert (enrolment.patient, enrolment.facility, enrolment.enrolled_by) == (
        patient, centre_of(meena), meena,
    )  # fmt: skip
    done = AuditEvent.objects.filter(by=meena, refused=False).order_by("pk")
    assert [event.action for event in done] == ["patients.find", "patient.enrol", "patient.read"]


def test_here_leads_to_a_new_case_and_once_more_to_the_same(meena):
    a_hub(centre_of(meena))
    key = key_in(as_staff(meena).get(FIND, {"number": a_patient().number}).text)
    sunita = a_health_worker(centre_of(meena))
    came = [as_staff(one).post(HERE, {"found": key, "case": "1"}).url for one in (meena, sunita)]
    draft = Consultation.objects.get()
    assert came == [reverse("consult:centre_case", args=[draft.uid])] * 2
    done = AuditEvent.objects.filter(by=sunita).order_by("pk")
    assert [event.action for event in done] == ["patient.enrol", "case.open"]


def test_a_case_that_is_on_its_way_is_shown_instead_of_a_new_one(meena):
    hub = a_hub(centre_of(meena))
    on_duty(hub)
    waiting = sent(meena, hub).patient
    key = key_in(as_staff(meena).get(FIND, {"number": waiting.number}).text)
    there = as_staff(meena).post(HERE, {"found": key, "case": "1"}).url
    assert there == reverse("consult:centre_patient", args=[waiting.uid])
    assert Consultation.objects.count() == 1


def test_a_key_is_for_one_centre_and_not_made_by_hand(meena):
    patient = a_patient()
    page = as_staff(meena).get(FIND, {"number": patient.number}).text
    elsewhere = as_staff(a_health_worker(a_facility(name="Rampur sub-centre")))
    for browser, key in [
        (elsewhere, key_in(page)),
        (as_staff(meena), key_in(page)[:-1] + "x"),
        (as_staff(meena), signing.dumps([str(patient.uid), centre_of(meena).pk])),
        (as_staff(meena), str(patient.uid)),
        (as_staff(meena), ""),
    ]:
        assert browser.post(HERE, {"found": key}).status_code == 404
    assert not Enrolment.objects.exists()


def test_an_old_key_asks_to_search_once_more(meena, monkeypatch):
    patient = a_patient()
    key = key_in(as_staff(meena).get(FIND, {"number": patient.number}).text)
    monkeypatch.setattr(page_of_patients, "FOUND_FOR", timedelta(0) - timedelta(seconds=1))
    answer = as_staff(meena).post(HERE, {"found": key}, follow=True)
    assert "That search is old. Please search once more." in answer.text
    assert not Enrolment.objects.exists()


@pytest.mark.usefixtures("one_moment")
def test_who_searches_too_often_is_stopped(meena):
    for _search in range(page_of_patients.SEARCHES_AN_HOUR):
        RateLimit.hit(
            "centre.find",
            str(meena.pk),
            limit=page_of_patients.SEARCHES_AN_HOUR,
            window=timedelta(hours=1),
        )
    patient = a_patient()
    stopped = as_staff(meena).get(FIND, {"number": patient.number})
    assert (stopped.status_code, patient.name in stopped.text) == (429, False)
    other = as_staff(a_health_worker(centre_of(meena))).get(FIND, {"number": patient.number})
    assert other.status_code == 200
    looked = AuditEvent.objects.filter(action="patients.find")
    assert len(looked) == 1  # nothing was looked for by the one who was stopped
    assert looked[0].by != meena


def test_a_patients_page_shows_no_draft_of_another_centre(meena):
    sunita = a_health_worker(a_facility(name="Rampur sub-centre"))
    a_hub(centre_of(sunita))
    draft = at_centre(sunita, complaint="A secret told at Rampur")
    known_at(centre_of(meena), draft.patient)
    page = as_staff(meena).get(reverse("consult:centre_patient", args=[draft.patient.uid])).text
    assert "A secret told at Rampur" not in page


# --- registering --------------------------------------------------------------------------------
def test_a_new_patient_is_saved_with_a_case_or_without(meena):
    without = as_staff(meena).post(REGISTER, form(meena) | {"case": "1"}, follow=True)
    assert "linked to no hub yet" in without.text
    assert (Patient.objects.count(), Consultation.objects.count()) == (1, 0)
    a_hub(centre_of(meena))
    answer = as_staff(meena).post(REGISTER, form(meena, name="Uma Das", sex="female", case="1"))
    assert answer.url == reverse("consult:centre_case", args=[Consultation.objects.get().uid])


def form(meena, **fields) -> dict:
    centre = centre_of(meena)
    return {
        "phone": "98111 22333", "name": "Ram Das", "age": "40", "sex": "male", "address": "Belwa",
        "state": centre.state_id, "district": centre.district_id, "language": "hi", **fields,
    }  # fmt: skip


def test_a_new_patient_gets_an_account_that_signs_in_by_that_number(meena):
    answer = as_staff(meena).post(REGISTER, form(meena))
    patient = Patient.objects.get()
    assert answer.url == reverse("consult:centre_patient", args=[patient.uid])
    account = patient.account
    assert (account.phone, account.language) == ("+919811122333", "hi")
    assert not account.has_usable_password()
    assert (account.is_staff, patient.age) == (False, 40)
    assert Enrolment.objects.get().facility == centre_of(meena)
    assert as_patient(account).get("/patients/").status_code in (200, 302)


def test_a_number_that_has_an_account_is_used_as_it_is(meena):
    account = a_user(phone="+919811122333", name="Sita")
    as_staff(meena).post(REGISTER, form(meena))
    assert Patient.objects.get().account == account
    account.refresh_from_db()
    assert account.name == "Sita"


@pytest.mark.parametrize("phone", ["+919811122333", "+919811144555"], ids=["account", "state"])
def test_who_looks_alike_is_shown_first_and_is_saved_when_one_is_sure(meena, phone):
    there = a_patient(a_user(phone=phone), name="ram das", sex="male", age=41)
    browser = as_staff(meena)
    people = User.objects.count()
    answer = browser.post(REGISTER, form(meena))
    assert answer.status_code == 409
    assert (Patient.objects.count(), User.objects.count()) == (1, people)
    opened = browser.post(HERE, {"found": key_in(answer.text)})
    assert opened.url == reverse("consult:centre_patient", args=[there.uid])
    sure = browser.post(REGISTER, form(meena, sure="1"))
    assert (sure.status_code, Patient.objects.count()) == (302, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Shyam Das"}, {"name": "Ram Das", "sex": "female"}, {"name": "Ram Das", "age": 50},
        {"name": "Ram Das", "state": 10},
    ],
)  # fmt: skip
def test_who_is_somebody_else_is_no_obstacle(meena, other):
    if "state" in other:
        other = other | {"state": a_state(other["state"])}
    a_patient(**{"sex": "male", "age": 40, **other})
    assert as_staff(meena).post(REGISTER, form(meena)).status_code == 302


def test_a_doubtful_abha_number_is_asked_about_once(meena):
    wrong = form(meena, abha_number=one_digit_off(ABHA)[0])
    answer = as_staff(meena).post(REGISTER, wrong)
    assert (answer.status_code, Patient.objects.count()) == (409, 0)
    assert as_staff(meena).post(REGISTER, wrong | {"sure": "1"}).status_code == 302


@pytest.mark.parametrize(
    "fields",
    [{"phone": "12345"}, {"name": ""}, {"age": ""}, {"age": "7"}, {"sex": ""}, {"address": ""}],
)
def test_a_patient_is_never_anonymous_and_a_child_never_alone(meena, fields):
    answer = as_staff(meena).post(REGISTER, form(meena, **fields))
    assert (answer.status_code, Patient.objects.count()) == (422, 0)
    assert not User.objects.filter(phone="+919811122333").exists()


def test_what_was_searched_for_is_filled_in(meena):
    page = as_staff(meena).get(REGISTER, {"phone": "98111 22333", "name": "Ram Das", "age": "40"})
    for value in ("98111 22333", "Ram Das", "40"):
        assert f'value="{value}"' in page.text


def test_the_post_that_ended_today_opens_nothing(meena):
    meena.posts.update(ended_at=timezone.now())
    for path in (FIND, REGISTER):
        assert as_staff(meena).get(path).status_code == 403
    assert len(refused_to(meena)) == 2
