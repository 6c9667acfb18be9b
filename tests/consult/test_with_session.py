"""A consultation that is asked for together with its page's session: it is theirs, or is asked for anew."""

import pytest
from django.conf import settings
from django.urls import reverse

from accounts import session_store
from consult import actions
from queues.models import HubLink, Token
from tests.factories import (
    a_clinic,
    a_doctor,
    a_health_worker,
    as_staff,
    at_centre,
    before_the_screen,
    centre_of,
    on_duty,
    sent,
    waiting,
)
from tests.trips import trips

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(meena, hub):
    return before_the_screen(meena, hub, on_duty(hub))


def path(name: str, case) -> str:
    return reverse(f"consult:{name}", args=[case.uid])


def guess(browser, whose) -> None:
    """As if this process had last seen the doctor, or the centre, behind the browser's session."""
    session_store._of_whom[browser.cookies[settings.SESSION_COOKIE_NAME].value] = whose.pk


def press_call(browser, clinic):
    in_place = {"X-Requested-With": "fetch"}
    return browser.post("/doctor/call/", {"clinic": str(clinic.uid)}, headers=in_place)


@pytest.mark.postgresql
def test_a_doctors_room_takes_two_trips(room):
    browser, path = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/"
    assert browser.get(path).status_code == 200
    assert trips(lambda: browser.get(path)) == 2


@pytest.mark.parametrize("page", ["", "save/"])
def test_what_was_asked_of_somebody_else_opens_nothing(room, page):
    path = f"/doctor/consultations/{room.uid}/{page}"
    stranger = as_staff(a_doctor().user)
    guess(stranger, room.doctor)
    ask = stranger.post if page else stranger.get
    assert [ask(path).status_code for _ in range(2)] == [404, 404]


def test_whom_a_session_belongs_to_is_found_out_again(room):
    path = f"/doctor/consultations/{room.uid}/"
    browser = as_staff(room.doctor.user)
    guess(browser, a_doctor())
    assert [browser.get(path).status_code for _ in range(2)] == [200, 200]


def test_the_sessions_that_are_remembered_have_an_end(room, monkeypatch):
    monkeypatch.setattr(session_store, "REMEMBERED", 3)
    for _ in range(5):
        as_staff(room.doctor.user).get(f"/doctor/consultations/{room.uid}/")
    assert 0 < len(session_store._of_whom) <= 3


@pytest.mark.postgresql
def test_a_health_centres_pages_take_two_trips(meena, hub):
    rao, draft, browser = on_duty(hub), at_centre(meena), as_staff(meena)
    pages = ["/centre/", path("centre_send", draft)]
    pages.append(path("centre_visit", sent(meena, hub)))
    assert [trips_of(browser, page) for page in pages] == [2] * len(pages)
    actions.call_next(clinic=hub, doctor=rao)
    assert trips_of(browser, pages[-1]) == 2


def trips_of(browser, page) -> int:
    assert browser.get(page).status_code == 200
    return trips(lambda: browser.get(page))


def test_what_was_asked_of_another_centre_is_not_on_the_desk(meena, hub):
    sunita = a_health_worker()
    on_duty(hub)
    HubLink.objects.create(spoke=centre_of(sunita), clinic=hub)
    here, there = sent(meena, hub), sent(sunita, hub)
    browser = as_staff(meena)
    guess(browser, centre_of(sunita))
    for _ in range(2):
        page = browser.get("/centre/").text
        assert (str(here.uid) in page, str(there.uid) in page) == (True, False)


@pytest.mark.postgresql
def test_a_call_takes_three_trips():
    clinic = a_clinic()
    doctor = on_duty(clinic)
    browser = as_staff(doctor.user)
    assert press_call(browser, clinic).status_code == 200  # nobody waits yet
    waiting(clinic)
    assert trips(lambda: press_call(browser, clinic)) == 3
    assert Token.objects.held().get().doctor == doctor


def test_nobody_calls_as_the_doctor_on_duty_who_was_guessed():
    clinic, stranger = a_clinic(), a_doctor()
    on_duty_there = on_duty(clinic)
    waiting(clinic)
    browser = as_staff(stranger.user)
    guess(browser, on_duty_there)
    assert "You are not on duty" in press_call(browser, clinic).content.decode()
    assert not Token.objects.held().exists()
