"""A consultation that is asked for together with its page's session: it is theirs, or is asked for anew."""

from functools import partial

import pytest
from django.conf import settings
from django.urls import reverse

from accounts import session_store
from accounts.session_store import OPEN_SESSION
from accounts.sockets import found, who
from consult import actions
from consult.live.entrance import Entrance, entering
from consult.models import Consultation
from queues.models import HubLink, Token
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    a_health_worker,
    as_staff,
    at_centre,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
    prescribed,
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


def key_of(browser) -> str:
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)


def guess(browser, whose, of: str = "") -> None:
    """As if this process had last seen the doctor, or the centre, behind the browser's session."""
    session_store._of_whom[key_of(browser), of] = whose.pk


def entrance(browser, room: Consultation) -> Entrance | None:
    """As a socket asks for it."""
    ahead = entering(room.uid)
    opened = who(key_of(browser), OPEN_SESSION, ahead)
    return opened and Entrance.of(found(opened.session, opened.user.pk, ahead))


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
def test_a_desk_takes_three_trips_whatever_the_number_of_its_lines():
    clinic, other = a_clinic(), a_clinic()
    doctor = on_duty(clinic)
    browser = as_staff(doctor.user)
    assert browser.get("/doctor/").status_code == 200
    waiting(clinic)
    assert trips(lambda: browser.get("/doctor/")) == 3
    on_duty(other, doctor)
    assert trips(lambda: browser.get("/doctor/")) == 3


def test_a_desk_that_was_read_for_another_doctor_is_read_again():
    clinic, stranger = a_clinic(), a_doctor()
    on_duty_there = on_duty(clinic)
    browser = as_staff(stranger.user)
    guess(browser, on_duty_there)
    shown = browser.get("/doctor/").context
    assert (shown["lines"], shown["may_start"]) == ([], [clinic])


@pytest.mark.postgresql
def test_a_call_takes_three_trips():
    clinic = a_clinic()
    doctor = on_duty(clinic)
    browser = as_staff(doctor.user)
    assert press_call(browser, clinic).status_code == 200  # nobody waits yet
    waiting(clinic)
    assert trips(lambda: press_call(browser, clinic)) == 3
    assert Token.objects.held().get().doctor == doctor


@pytest.mark.postgresql
def test_a_prescription_is_begun_issued_and_the_consultation_ended_in_few_trips(room):
    clinic = a_clinic()
    prescribed(in_the_room(clinic, on_duty(clinic)))  # so that the key and the SMS are known
    browser, path = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/save/"
    assert browser.get(path.removesuffix("save/")).status_code == 200

    def press(*lines, **fields):
        answer = browser.post(path, a_doctors_form(*lines, **fields))
        assert answer.status_code == 302

    written, empty = partial(press, PARACETAMOL), press
    assert trips(written) == 2
    around = 2  # BEGIN and COMMIT within this test's own transaction; else COMMIT alone is one
    assert trips(lambda: written(issue="1")) == 3 + around
    assert trips(lambda: empty(finish="1")) == 2 + around
    assert room.prescriptions.get().state == "issued"


def test_nobody_calls_as_the_doctor_on_duty_who_was_guessed():
    clinic, stranger = a_clinic(), a_doctor()
    on_duty_there = on_duty(clinic)
    waiting(clinic)
    browser = as_staff(stranger.user)
    guess(browser, on_duty_there)
    assert "You are not on duty" in press_call(browser, clinic).content.decode()
    assert not Token.objects.held().exists()


@pytest.mark.postgresql
def test_a_socket_learns_in_one_trip_who_may_enter(room):
    browser = as_staff(room.doctor.user)
    assert [trips(lambda: entrance(browser, room)) for _ in range(2)] == [2, 1]
    assert entrance(browser, room).pk == room.pk


def test_what_a_socket_asked_of_somebody_else_lets_nobody_in(room):
    stranger = as_staff(a_doctor().user)
    guess(stranger, room.doctor.user, of="account")
    assert [entrance(stranger, room) for _ in range(2)] == [None, None]
