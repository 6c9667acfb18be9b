"""Clinics: their hours, whom they serve, and what is said of them before anything is asked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Facility
from queues.board import RENEW_EVERY
from queues.line import standings
from queues.models import Clinic, ClinicDay, ClinicHours, HubLink, Presence, Token
from queues.wait import Wait
from tests.at_once import behind
from tests.constraints import taken
from tests.factories import (
    a_clinic,
    a_doctor,
    a_patient,
    a_state,
    a_user,
    as_patient,
    on_duty,
    queries_of,
    refused_to,
    waiting,
)

pytestmark = pytest.mark.django_db


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of the week of Monday 4 January 2027, Indian time."""
    return timezone.make_aware(datetime(2027, 1, 4 + day, hour, minute))


def open_from(*stretches: tuple[int, int, int]) -> Clinic:
    clinic = a_clinic(always_open=False)
    for weekday, opens, closes in stretches:
        clinic.hours.create(weekday=weekday, opens=time(opens), closes=time(closes))
    return clinic


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        (at(0, 8, 59), False),
        (at(0, 9), True),
        (at(0, 12, 59), True),
        (at(0, 13), False),
        (at(0, 22), True),
        (at(0, 23, 59), True),
        (at(1, 0), True),
        (at(1, 5, 59), True),
        (at(1, 6), False),
        (at(1, 9), False),
    ],
)
def test_it_is_open_from_opening_until_closing_and_over_midnight(now: datetime, is_open: bool):
    clinic = open_from((0, 9, 13), (0, 22, 0), (1, 0, 6))
    assert clinic.is_open(now) is is_open
    assert clinic.is_open(now.astimezone(timezone.get_fixed_timezone(0))) is is_open
    assert clinic.hours.covering(now.weekday(), now.time()).exists() is is_open


def test_open_from_midnight_to_midnight_is_open_all_day():
    clinic = open_from((0, 0, 0))
    assert [clinic.is_open(at(0, hour)) for hour in range(24)] == [True] * 24
    assert clinic.is_open(at(1, 0)) is False


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        (at(0, 8), at(0, 9)),
        (at(0, 9), at(0, 16)),
        (at(0, 17), at(2, 10)),
        (at(2, 10), at(7, 9)),
        (at(6, 23), at(7, 9)),
    ],
)
def test_the_next_opening_is_the_nearest_to_come(now: datetime, opening: datetime):
    clinic = open_from((0, 9, 12), (0, 16, 18), (2, 10, 12))
    assert clinic.next_opening(now) == opening


def test_a_clinic_open_once_a_week_opens_again_in_a_week():
    assert open_from((0, 9, 12)).next_opening(at(0, 9)) == at(7, 9)


def test_a_clinic_without_hours_never_opens():
    clinic = a_clinic(always_open=False)
    assert (clinic.is_open(), clinic.next_opening()) == (False, None)


@pytest.mark.parametrize(
    ("clinic", "serves"),
    [
        ({}, True),
        ({"serves": "female"}, True),
        ({"serves": "male"}, False),
        ({"min_age": 34, "max_age": 34}, True),
        ({"min_age": 35}, False),
        ({"max_age": 33}, False),
    ],
)
def test_it_serves_an_age_and_a_sex(clinic: dict, serves: bool):
    asha = a_patient(age=34, sex="female")
    assert a_clinic(**clinic).serves_patient(asha) is serves


# --- what is said of it -------------------------------------------------------------------------
def standing_of(clinic: Clinic, patient=None):
    (standing,) = standings([clinic], patient)
    return standing


def test_an_open_staffed_clinic_takes_patients_and_says_how_many_wait():
    clinic = a_clinic(usual_minutes=10)
    on_duty(clinic)
    waiting(clinic)
    waiting(clinic)
    standing = standing_of(clinic)
    assert (standing.is_open, standing.doctors, standing.waiting) == (True, 1, 2)
    assert standing.takes_patients is True
    assert standing.wait == Wait(low=7, high=31)  # 2 ahead, a doctor free, nothing learned


def test_a_clinic_takes_nobody_when_closed_unstaffed_full_or_not_made_for_the_patient():
    asha = a_patient()
    closed, unstaffed, off = a_clinic(always_open=False), a_clinic(), a_clinic(is_active=False)
    crowded, sold_out, for_men = a_clinic(waiting_limit=1), a_clinic(daily_limit=1), a_clinic()
    for clinic in (closed, off, crowded, sold_out, for_men):
        on_duty(clinic)
    waiting(crowded)
    waiting(sold_out)
    Token.objects.filter(clinic=sold_out).update(state="left", ended_at=timezone.now())
    for_men.serves = "male"
    told = {
        name: standing_of(clinic, asha)
        for name, clinic in {
            "closed": closed,
            "unstaffed": unstaffed,
            "off": off,
            "crowded": crowded,
            "sold out": sold_out,
            "for men": for_men,
        }.items()
    }
    assert [name for name, standing in told.items() if standing.takes_patients] == []
    assert [name for name, standing in told.items() if not standing.is_open] == ["closed", "off"]
    assert [name for name, standing in told.items() if not standing.doctors] == ["unstaffed"]
    assert [n for n, standing in told.items() if not standing.has_room] == ["crowded", "sold out"]
    assert [name for name, standing in told.items() if not standing.suits] == ["for men"]


def test_the_clinics_that_take_you_come_first_shortest_wait_first():
    asha = a_patient()
    for_men = a_clinic(name="A for men", serves="male")
    closed = a_clinic(name="B closed", always_open=False)
    unstaffed = a_clinic(name="C unstaffed")
    busy = a_clinic(name="D busy")
    quiet = a_clinic(name="E quiet")
    for clinic in (for_men, closed, busy, quiet):
        on_duty(clinic)
    waiting(busy)
    waiting(busy)
    ranked = standings([for_men, closed, unstaffed, busy, quiet], asha)
    assert [one.clinic for one in ranked] == [quiet, busy, unstaffed, closed, for_men]


def test_a_paused_doctor_is_not_counted_and_a_doctor_elsewhere_with_a_patient_is_busy():
    clinic, other = a_clinic(usual_minutes=10), a_clinic()
    rao, das = a_doctor(), a_doctor()
    for doctor in (rao, das):
        on_duty(clinic, doctor)
    on_duty(other, rao)
    waiting(other)
    token = Token.objects.get(clinic=other)
    token.call(rao)
    assert standing_of(clinic).wait == Wait(low=0, high=2)  # one of the two is free
    clinic.duties.filter(doctor=das).update(paused_at=timezone.now())
    assert standing_of(clinic).doctors == 1
    assert standing_of(clinic).wait == Wait(low=2, high=15)
    token.answer()
    token.finish()
    assert standing_of(clinic).wait == Wait(low=0, high=2)


# --- the page -----------------------------------------------------------------------------------
def page_for(patient) -> str:
    return reverse("queue:clinics", args=[patient.uid])


def test_the_page_shows_the_clinics_of_the_patients_state():
    a_clinic(name="Kerala OPD")
    a_clinic(name="Bihar OPD", state=a_state(10))
    a_clinic(name="Hub", takes_opd=False)
    a_clinic(name="Shut for good", is_active=False)
    asha = a_patient()
    client = as_patient(asha.account)
    names = [one.clinic.name for one in client.get(page_for(asha)).context["standings"]]
    assert names == ["Kerala OPD"]
    there = client.get(page_for(asha), {"state": "10"}).context["standings"]
    assert [one.clinic.name for one in there] == ["Bihar OPD"]
    assert client.get(page_for(asha), {"state": "no"}).status_code == 200


def test_the_page_says_so_where_there_is_no_clinic():
    asha = a_patient()
    page = as_patient(asha.account).get(page_for(asha))
    assert page.status_code == 200
    assert "There is no clinic in this state yet." in page.content.decode()


def test_a_strangers_patient_is_not_there_and_the_try_is_written_down():
    asha, stranger = a_patient(), a_user()
    assert as_patient(stranger).get(page_for(asha)).status_code == 404
    assert refused_to(stranger) == [f"patient:{asha.uid}"]


def test_the_page_needs_the_same_queries_for_one_clinic_as_for_three():
    asha = a_patient()
    client = as_patient(asha.account)
    on_duty(a_clinic())
    with_one = queries_of(client, page_for(asha))
    for _clinic in range(2):
        clinic = a_clinic()
        on_duty(clinic)
        waiting(clinic)
    assert queries_of(client, page_for(asha)) == with_one


# --- what the database keeps --------------------------------------------------------------------
def test_a_clinic_has_its_ages_in_order():
    whole = {"name": "OPD", "state": a_state(), "speciality": a_clinic().speciality}
    assert taken(Clinic.objects.create, **whole, min_age=18, max_age=18) is True
    assert taken(Clinic.objects.create, **whole, min_age=19, max_age=18) is False


def test_hours_open_once_and_before_they_close():
    clinic = open_from((0, 9, 12))
    monday = {"clinic": clinic, "weekday": 0}
    assert taken(ClinicHours.objects.create, **monday, opens=time(9), closes=time(10)) is False
    assert taken(ClinicHours.objects.create, **monday, opens=time(14), closes=time(14)) is False
    assert taken(ClinicHours.objects.create, **monday, opens=time(14), closes=time(13)) is False
    assert taken(ClinicHours.objects.create, **monday, opens=time(14), closes=time(0)) is True


def test_a_spoke_is_linked_once_to_a_clinic_and_not_until_before_it_begins():
    clinic = a_clinic()
    spoke = Facility.objects.create(name="Spoke", kind="phc", state=clinic.state)
    link = {"spoke": spoke, "clinic": clinic, "valid_from": date(2027, 1, 4)}
    assert taken(HubLink.objects.create, **link, valid_until=date(2027, 1, 3)) is False
    assert taken(HubLink.objects.create, **link, valid_until=date(2027, 1, 4)) is True
    assert taken(HubLink.objects.create, **link) is False


def test_a_day_has_one_counter():
    clinic, today = a_clinic(), timezone.localdate()
    assert taken(ClinicDay.objects.create, clinic=clinic, day=today) is True
    assert taken(ClinicDay.objects.create, clinic=clinic, day=today) is False


def test_numbers_run_without_a_gap_from_one_every_day_and_in_every_clinic():
    clinic, other, today = a_clinic(), a_clinic(), timezone.localdate()
    assert [ClinicDay.next_number(clinic, today) for _ in range(3)] == [1, 2, 3]
    assert ClinicDay.next_number(other, today) == 1
    assert ClinicDay.next_number(clinic, today + timedelta(days=1)) == 1
    with transaction.atomic():
        assert ClinicDay.next_number(clinic, today) == 4
        transaction.set_rollback(True)
    assert ClinicDay.next_number(clinic, today) == 4


@pytest.mark.django_db(transaction=True)
def test_a_number_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="in the transaction"):
        ClinicDay.next_number(a_clinic(), timezone.localdate())


def test_presence_is_a_lease_that_is_renewed_and_ends_soon_after_the_page():
    clinic = a_clinic()
    on_duty(clinic)
    token = waiting(clinic).token
    assert Token.objects.present().get() == token
    Presence.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert Token.objects.present().count() == 0
    Presence.renew([token.pk, token.pk])
    assert Token.objects.present().get() == token
    Presence.end_soon([token.pk])
    assert Presence.objects.get().until < timezone.now() + Presence.LEASE / 2


def test_a_page_that_came_back_to_another_process_is_renewed_there_before_the_first_ends_it():
    assert timedelta(seconds=RENEW_EVERY) < Presence.GRACE
    clinic = a_clinic()
    on_duty(clinic)
    token = waiting(clinic).token
    soon = timezone.now() + timedelta(seconds=5)
    Presence.objects.update(until=soon)  # it had not long to go: ending it makes it no longer
    Presence.end_soon([token.pk])
    assert Presence.objects.get().until == soon


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_locks_leases_in_the_order_of_one_that_renews():
    clinic = a_clinic()
    on_duty(clinic)
    first, second = (waiting(clinic).token.pk for _patient in range(2))
    Presence.objects.filter(pk=first).delete()
    Presence.renew(
        [first]
    )  # now it stands behind the other in the table, which is read as it stands
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE queue_presence")
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            held = Presence.objects.select_for_update(nowait=True)
            held.get(pk=first)
            ending = behind(thread, lambda: Presence.end_soon([second, first]))
            assert held.get(pk=second).pk == second
        ending.result()
    assert not Presence.objects.filter(until__gt=timezone.now() + Presence.GRACE).exists()


def test_a_clinic_that_opens_later_today_says_so_and_not_the_name_of_the_day():
    now = timezone.localtime()
    standing = replace(standings([a_clinic()])[0], is_open=False, opens_at=now)
    assert standing.opens_on == "today"
    assert replace(standing, opens_at=now + timedelta(days=2)).opens_on not in ("", "today")
    assert replace(standing, opens_at=None).opens_on == ""
