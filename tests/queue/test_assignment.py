"""Which hub takes a health centre's patient: the least expected wait, in few queries however many."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from queues.assignment import choose, linked_clinics
from queues.models import Clinic, ClinicDay, ClinicHours, Duty, HubLink, Token
from tests.factories import (
    a_doctor,
    a_facility,
    a_health_worker,
    a_hub,
    a_patient,
    a_speciality,
    as_staff,
    centre_of,
    known_at,
    on_duty,
    queries_of,
    sent,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 3


@pytest.fixture
def spoke():
    return a_facility()


def proposed(spoke, patient=None, code="general-medicine"):
    choice = choose(spoke=spoke, speciality=a_speciality(code), patient=patient or a_patient())
    return choice.proposed.clinic.name if choice.proposed else None


def fill(clinic: Clinic, people: int) -> None:
    """So many wait there."""
    patient = a_patient()
    today = timezone.localdate()
    Token.objects.bulk_create(
        Token(clinic=clinic, day=today, number=n, patient=a_patient(patient.account))
        for n in range(1, people + 1)
    )


def hub(spoke, name: str, waiting: int = 0, doctors: int = 1, **fields) -> Clinic:
    clinic = a_hub(spoke, name=name, **fields)
    for _doctor in range(doctors):
        on_duty(clinic, a_doctor())
    fill(clinic, waiting)
    return clinic


def test_the_least_expected_wait_is_proposed_not_the_shortest_line(spoke):
    hub(spoke, "One doctor, three wait", waiting=3)
    hub(spoke, "Four doctors, five wait", waiting=5, doctors=4)
    hub(spoke, "Slow and two wait", waiting=2, usual_minutes=30)
    assert proposed(spoke) == "Four doctors, five wait"


def test_all_others_follow_in_the_order_of_their_wait(spoke):
    for name, waiting in [("C", 6), ("A", 9), ("B", 1)]:
        hub(spoke, name, waiting=waiting)
    choice = choose(spoke=spoke, speciality=a_speciality(), patient=a_patient())
    assert [one.clinic.name for one in choice.everywhere] == ["B", "C", "A"]


def test_of_two_with_the_same_wait_the_link_decides_and_then_the_name(spoke):
    hub(spoke, "Aarah", priority=2)
    hub(spoke, "Buxar", priority=1)
    hub(spoke, "Chapra", priority=1)
    assert proposed(spoke) == "Buxar"
    hub(spoke, "Dumraon", priority=1, waiting=5)
    HubLink.objects.filter(clinic__name="Buxar").update(priority=3)
    assert proposed(spoke) == "Chapra"


def closed(clinic: Clinic) -> None:
    clinic.hours.all().delete()


def unstaffed(clinic: Clinic) -> None:
    clinic.duties.all().delete()


def paused(clinic: Clinic) -> None:
    clinic.duties.update(paused_at=timezone.now())


def full_now(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(waiting_limit=0)


def full_today(clinic: Clinic) -> None:
    ClinicDay.objects.create(
        clinic=clinic, day=timezone.localdate(), last_number=clinic.daily_limit
    )


def not_for_her(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(serves="male")


def switched_off(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(is_active=False)


def no_longer_linked(clinic: Clinic) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    clinic.hub_links.update(valid_from=yesterday, valid_until=yesterday)


@pytest.mark.parametrize(
    "trouble",
    [closed, unstaffed, paused, full_now, full_today, not_for_her, switched_off, no_longer_linked],
)
def test_a_clinic_that_takes_nobody_is_not_proposed(spoke, trouble):
    best = hub(spoke, "The best")
    hub(spoke, "The other", waiting=9)
    assert proposed(spoke) == "The best"
    trouble(best)
    assert proposed(spoke) == "The other"


def test_another_speciality_and_another_centres_hub_are_not_proposed(spoke):
    hub(spoke, "Skin", code="dermatology")
    hub(a_facility(name="Rampur"), "Of Rampur")
    assert proposed(spoke) is None
    assert proposed(spoke, code="dermatology") == "Skin"


def test_a_centre_is_hub_and_spoke_at_once(spoke):
    phc = a_facility(name="Harinagar PHC", kind="phc")
    hub(spoke, "General at Harinagar", facility=phc)
    hub(phc, "Skin in Patna", code="dermatology")
    assert proposed(spoke) == "General at Harinagar"
    assert proposed(phc, code="dermatology") == "Skin in Patna"
    assert proposed(spoke, code="dermatology") is None


def test_where_nobody_takes_the_patient_the_next_opening_is_said(spoke):
    now = timezone.localtime()
    for name, days in [("Later", 3), ("Sooner", 2)]:
        clinic = a_hub(spoke, name=name, always_open=False)
        ClinicHours.objects.create(
            clinic=clinic, weekday=(now.weekday() + days) % 7, opens="09:00", closes="12:00"
        )
    a_hub(spoke, name="Never", always_open=False)
    choice = choose(spoke=spoke, speciality=a_speciality(), patient=a_patient())
    assert choice.proposed is None
    opening = choice.next_opening
    assert (opening.clinic.name, opening.opens_at.hour) == ("Sooner", 9)
    assert opening.opens_at.date() == now.date() + timedelta(days=2)


# --- many clinics, many cases -------------------------------------------------------------------
def many(spoke, clinics: int, cases: int) -> Clinic:
    """So many linked clinics with one doctor each, and cases spread evenly; returns the freest."""
    speciality, state = a_speciality(), spoke.state
    made = Clinic.objects.bulk_create(
        Clinic(name=f"Hub {n:03d}", state=state, speciality=speciality, waiting_limit=1000)
        for n in range(clinics)
    )
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, weekday=day, opens="00:00", closes="00:00")
        for clinic in made
        for day in range(7)
    )
    HubLink.objects.bulk_create(HubLink(spoke=spoke, clinic=clinic) for clinic in made)
    rao = a_doctor()
    Duty.objects.bulk_create(Duty(clinic=clinic, doctor=rao) for clinic in made)
    patients = [a_patient() for _ in range(2)]  # one open token per patient and clinic
    per_clinic = cases // clinics
    account = patients[0].account
    people = type(patients[0]).objects.bulk_create(
        _a_person(patients[0], account) for _ in range(per_clinic)
    )
    freest = made[len(made) // 2]
    Token.objects.bulk_create(
        Token(clinic=clinic, day=timezone.localdate(), number=n, patient=person)
        for clinic in made
        for n, person in enumerate(people, 1)
        if clinic != freest or n < per_clinic
    )
    return freest


def _a_person(like, account):
    return type(like)(
        account=account,
        name="Ram",
        sex="male",
        birth_date=like.birth_date,
        address="Belwa",
        state=like.state,
        language="hi",
    )


def counted(spoke) -> tuple[str, int]:
    patient, speciality = a_patient(), a_speciality()
    with CaptureQueriesContext(connection) as queries:
        choice = choose(spoke=spoke, speciality=speciality, patient=patient)
    return choice.proposed.clinic.name, len(queries)


def test_200_clinics_and_2000_waiting_cases_are_chosen_from_in_three_queries(spoke):
    freest = many(spoke, clinics=200, cases=2000)
    assert Token.objects.waiting().count() == 1999
    assert len(linked_clinics(spoke)) == 200
    assert counted(spoke) == (freest.name, MOST_QUERIES)


def test_two_clinics_need_as_many_queries_as_200(spoke):
    freest = many(spoke, clinics=2, cases=20)
    assert counted(spoke) == (freest.name, MOST_QUERIES)


def test_the_desk_needs_as_many_queries_for_thirty_patients_as_for_one():
    meena = a_health_worker()
    clinic = a_hub(centre_of(meena))
    on_duty(clinic)
    browser = as_staff(meena)
    here, _other = sent(meena, clinic), sent(meena, clinic)
    others = reverse("consult:centre_others", args=[here.uid])
    paths = ["/centre/", "/centre/part/", others]
    one = {path: queries_of(browser, path) for path in paths}
    for _patient in range(29):
        sent(meena, clinic)
    assert {path: queries_of(browser, path) for path in paths} == one


def test_the_find_page_needs_as_many_queries_for_twenty_people_as_for_one():
    meena = a_health_worker()
    ram = known_at(centre_of(meena), a_patient(name="Ram Das", address="Belwa"))
    browser = as_staff(meena)
    path = "/centre/patients/?name=Ram&age=34&village=Belwa"
    one = queries_of(browser, path)
    for _person in range(29):
        a_patient(ram.account, name="Ram Das", address="Belwa")
    assert queries_of(browser, path) == one
