"""A consultation that is asked for together with its page's session: it is theirs, or is asked for anew."""

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts import session_store
from queues.models import Token
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    as_staff,
    before_the_screen,
    in_the_room,
    on_duty,
    prescribed,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(meena, hub):
    return before_the_screen(meena, hub, on_duty(hub))


def guess(browser, doctor) -> None:
    """As if this process had last seen the doctor behind the browser's session."""
    session_store._of_whom[browser.cookies[settings.SESSION_COOKIE_NAME].value] = doctor.pk


def press_call(browser, clinic):
    in_place = {"X-Requested-With": "fetch"}
    return browser.post("/doctor/call/", {"clinic": str(clinic.uid)}, headers=in_place)


def trips(do: Callable[[], Any]) -> int:
    """How often PostgreSQL was asked and waited for."""
    connection.ensure_connection()
    raw: Any = connection.connection
    with tempfile.TemporaryFile() as trace:
        raw.pgconn.trace(trace.fileno())
        do()
        raw.pgconn.untrace()
        trace.seek(0)
        sent = [line.split(b"\t") for line in trace if b"\tF\t" in line]
    return len([line for line in sent if {b"Sync", b"Query"} & {word.strip() for word in line}])


@pytest.mark.postgresql
def test_a_doctors_room_takes_two_trips(room):
    browser, path = as_staff(room.doctor.user), f"/doctor/consultations/{room.uid}/"
    assert browser.get(path).status_code == 200
    assert trips(lambda: browser.get(path)) == 2


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
    around = (
        2  # what this test's own transaction makes of BEGIN and COMMIT; else COMMIT alone is a trip
    )
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
