"""A consultation that is asked for together with its page's session: it is theirs, or is asked for anew."""

import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts import session_store
from accounts.session_store import OPEN_SESSION
from accounts.sockets import found, who
from consult.entrance import Entrance, entering
from consult.models import Consultation
from tests.factories import a_doctor, as_staff, before_the_screen, on_duty

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(meena, hub):
    return before_the_screen(meena, hub, on_duty(hub))


def key_of(browser) -> str:
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)


def guess(browser, doctor, of: str = "") -> None:
    """As if this process had last seen the doctor behind the browser's session."""
    session_store._of_whom[key_of(browser), of] = doctor.pk


def entrance(browser, room: Consultation) -> Entrance | None:
    """As a socket asks for it."""
    ahead = entering(room.uid)
    opened = who(key_of(browser), OPEN_SESSION, ahead)
    return opened and Entrance.of(found(opened.session, opened.user.pk, ahead))


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
def test_a_socket_learns_in_one_trip_who_may_enter(room):
    browser = as_staff(room.doctor.user)
    assert [trips(lambda: entrance(browser, room)) for _ in range(2)] == [2, 1]
    assert entrance(browser, room).pk == room.pk


def test_what_a_socket_asked_of_somebody_else_lets_nobody_in(room):
    stranger = as_staff(a_doctor().user)
    guess(stranger, room.doctor.user, of="account")
    assert [entrance(stranger, room) for _ in range(2)] == [None, None]
