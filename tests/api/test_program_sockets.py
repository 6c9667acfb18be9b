"""Two programs in one consultation, by their tokens alone: wait, write, call; and what ends it."""

import contextlib
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from accounts.actions import accept_notice
from accounts.actions.keys import give_key, issue_token
from accounts.models import MachineClient, NoticeAcceptance, User
from accounts.models.limits import RateLimit
from consult.models import Consultation
from tests.consult.test_signalling import DOCTORS, PATIENTS, join, say
from tests.factories import a_clinic, a_user, in_the_room, on_duty
from tests.fhir.records import a_centre
from tests.open_pages import Page, room
from tests.running import SOON, Site


@pytest.fixture
def consultation(site: Site) -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def a_key(user: User, *, staff: bool = False) -> str:
    return issue_token(user=user, device="phone", has_second_factor=staff)[1]


@contextlib.contextmanager
def opened(url: str, path: str, key: str) -> Iterator[Page]:
    """As a program opens it: no cookie, no origin."""
    headers = {"Authorization": f"Bearer {key}"}
    address = url.replace("http", "ws", 1) + path
    with connect(address, additional_headers=headers, open_timeout=SOON, close_timeout=2) as socket:
        yield Page(socket)


def test_two_programs_exchange_offer_and_answer_and_write(site: Site, consultation):
    patient, doctor = consultation.patient.account, consultation.doctor.user
    with (
        opened(site.urls[0], room(consultation), a_key(doctor, staff=True)) as doctors,
        opened(site.urls[-1], room(consultation), a_key(patient)) as patients,
    ):
        join(doctors, DOCTORS)
        join(patients, PATIENTS)
        doctors.hear("call", event="joined", seat="patient", page=PATIENTS)
        say(doctors, say="offer", sdp="v=0 offer", to="patient", **{"for": PATIENTS})
        assert patients.hear("call", event="offer", seat="doctor")["sdp"] == "v=0 offer"
        say(patients, say="answer", sdp="v=0 answer", to="doctor", **{"for": DOCTORS})
        assert doctors.hear("call", event="answer", seat="patient")["sdp"] == "v=0 answer"
        url = f"{site.url}/api/v1/consultations/{consultation.uid}/messages/"
        headers = {"Authorization": f"Bearer {a_key(patient)}"}
        body = {"client_id": str(uuid4()), "text": "I hear you"}
        assert httpx.post(url, json=body, headers=headers, timeout=SOON).status_code == 201
        doctors.hear("message")


def test_a_token_that_is_revoked_closes_its_socket_and_opens_none(site: Site, consultation):
    account = consultation.patient.account
    key = a_key(account)
    with (
        opened(site.url, room(consultation), key) as lost,
        opened(site.url, room(consultation), a_key(account)) as kept,
    ):
        lost.hear("hello")
        kept.hear("hello")
        bearer = {"Authorization": f"Bearer {key}"}
        httpx.post(f"{site.url}/api/v1/sign-out/", headers=bearer, timeout=SOON)
        assert lost.closed_with() == 4401
        say(kept, say="ping")
        kept.hear("call", event="pong")
    with pytest.raises(InvalidStatus), opened(site.url, room(consultation), key):
        pass


def test_who_may_not_use_the_api_gets_no_socket(site: Site, consultation):
    account, facility = consultation.patient.account, a_centre()
    machine = MachineClient(
        name="Kiosk", facility=facility, answers_for=account, may_read_records=True
    )
    before_the_notice = a_user()
    NoticeAcceptance.objects.filter(user=before_the_notice).delete()
    for key in ("", "esp_guess", give_key(client=machine, by=account), a_key(before_the_notice)):
        with (
            pytest.raises(InvalidStatus) as refused,
            opened(site.url, room(consultation), key),
        ):
            pass
        assert refused.value.response.status_code == 403
    assert [limit.hits for limit in RateLimit.objects.all()] == [1]  # of all these only one guessed


def test_a_token_opens_what_its_person_may_see_and_staff_need_their_second_factor(
    site: Site, consultation
):
    doctor = consultation.doctor.user
    accept_notice(by=doctor, language="en")
    for key in (a_key(a_user()), a_key(doctor)):
        with opened(site.url, room(consultation), key) as socket:
            assert socket.closed_with() == 4404
    with opened(site.url, "/ws/desk/", a_key(doctor, staff=True)) as desk:
        desk.hear("hello")
