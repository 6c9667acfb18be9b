"""What pages of a call say to each other over real sockets, and what is dropped on the way."""

import asyncio
import contextlib
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from accounts.broadcast import signed_out
from consult import actions
from consult.live.seat import Seat
from consult.live.signalling import BURST, MAX_SIGNAL, NotASignal, read_signal
from consult.models import CallEvent, CallLeg, ChatMessage, Consultation
from consult.people import Role
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import Mailbox
from tests.calling import until
from tests.factories import a_clinic, a_doctor, in_the_room, on_duty, waiting
from tests.open_pages import Page, page, patients_page, room
from tests.running import SOON, Site, browser_of

MEDIA = {"sound": True, "video": True, "wants_video": True, "weak": False, "rtc": True}
DOCTORS, PATIENTS = "doctorspage1", "patientspage1"
OFFER = {"say": "offer", "to": "doctor", "for": DOCTORS, "sdp": "v=0"}


def say(one: Page, **message: Any) -> None:
    one.socket.send(json.dumps(message))


def join(one: Page, name: str) -> None:
    one.hear("hello")
    say(one, say="join", page=name, media=MEDIA)
    one.hear("call", event="in")


def hears_nothing_of_a_call(one: Page, other: Page) -> None:
    """Until something else comes that was said later: a message in the talk."""
    say(one, say="ping")
    heard = []
    while True:
        message = json.loads(one.socket.recv(timeout=SOON))
        if message.get("event") == "pong":
            break
        heard.append(message)
    assert [message for message in heard if message["type"] == "call"] == []


@pytest.fixture
def consultation(site: Site) -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


@pytest.fixture
def both(site: Site, consultation):
    """The doctor's and the patient's sockets in the call, in two processes where there are two."""
    with page(site.urls[0], room(consultation), consultation.doctor.user, staff=True) as doctor:
        join(doctor, DOCTORS)  # before the patient's page is there to hear of it
        with patients_page(site.urls[-1], consultation) as patient:
            join(patient, PATIENTS)
            yield doctor, patient


# --- shapes -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "said",
    [
        {"say": "join", "page": DOCTORS, "media": MEDIA},
        {"say": "here", "to": "patient", "for": PATIENTS, "media": MEDIA},
        OFFER,
        {**OFFER, "say": "answer", "sdp": "x" * MAX_SIGNAL},
        {
            **OFFER,
            "say": "candidate",
            "candidate": {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0},
        },
        {"say": "candidate", "to": "doctor", "for": DOCTORS, "candidate": None},
        {"say": "media", "media": MEDIA},
        {"say": "got", "got": {"doctor": [12, 15], "specialist": [0, 86_400]}},
        {"say": "servers"},
        {"say": "write", "client_id": "5f1c", "text": "Since when?"},
        {"say": "bye"},
        {"say": "ping"},
    ],
    ids=lambda said: said["say"],
)
def test_a_message_is_read_with_its_parts_and_no_others(said: dict[str, Any]):
    extra = {"seat": "doctor", "type": "state", "event": "x"}
    wanted = {name: part for name, part in said.items() if name in read_signal(json.dumps(said))}
    assert read_signal(json.dumps(said | extra)) == wanted
    assert wanted["say"] == said["say"]


@pytest.mark.parametrize(
    "said",
    [
        "", "null", "[]", "{", "9" * 5000, "[" * 5000,
        {}, {"say": 1}, {"say": "hello"}, {"say": "join"},
        {"say": "join", "page": "short", "media": MEDIA},
        {"say": "join", "page": "<script>alert(1)</script>", "media": MEDIA},
        {"say": "join", "page": DOCTORS, "media": MEDIA | {"more": True}},
        {"say": "join", "page": DOCTORS, "media": MEDIA | {"sound": "yes"}},
        {**OFFER, "to": "everybody"}, {**OFFER, "to": ["doctor"]}, {**OFFER, "for": None},
        {**OFFER, "sdp": ""}, {**OFFER, "sdp": 5}, {**OFFER, "sdp": "x" * (MAX_SIGNAL + 1)},
        {**OFFER, "sdp": "क" * 5000},
        {**OFFER, "say": "candidate", "candidate": {"candidate": "x" * 1025}},
        {**OFFER, "say": "candidate", "candidate": {str(n): 1 for n in range(6)}},
        {**OFFER, "say": "candidate", "candidate": {"deep": {"deeper": 1}}},
        {"say": "media", "media": []},
        {"say": "write", "text": "x"}, {"say": "write", "client_id": "5f1c", "text": ["x"]},
        {"say": "write", "client_id": "5f1c", "text": "x" * (ChatMessage.MAX_TEXT + 1)},
        {"say": "got"}, {"say": "got", "got": {}}, {"say": "got", "got": [["doctor", 1, 2]]},
        {"say": "got", "got": {"judge": [1, 2]}}, {"say": "got", "got": {"doctor": [1]}},
        {"say": "got", "got": {"doctor": [1.5, 2]}}, {"say": "got", "got": {"doctor": [-1, 2]}},
        {"say": "got", "got": {"doctor": ["1", 2]}}, {"say": "got", "got": {"doctor": [True, 2]}},
        {"say": "got", "got": {"doctor": [86_401, 2]}},
    ],
    ids=lambda said: str(said)[:60],
)  # fmt: skip
def test_anything_else_is_no_message(said: Any):
    with pytest.raises(NotASignal):
        read_signal(said if isinstance(said, str) else json.dumps(said))


# --- who hears what -----------------------------------------------------------------------------
def test_each_is_told_who_comes_and_only_by_role(site: Site, both):
    doctor, _patient = both
    told = doctor.hear("call", event="joined")
    assert told.pop("socket")
    assert told == {
        "type": "call", "event": "joined", "seat": "patient", "page": PATIENTS, "media": MEDIA,
    }  # fmt: skip


def test_an_offer_reaches_the_named_page_with_the_senders_own_seat_on_it(site: Site, both):
    doctor, patient = both
    doctor.hear("call", event="joined")
    say(patient, **OFFER, seat="specialist", page="forgedpage1", type="state")
    assert doctor.hear("call", event="offer") == {
        "type": "call", "event": "offer", "seat": "patient", "page": PATIENTS,
        "for": DOCTORS, "sdp": "v=0",
    }  # fmt: skip
    say(patient, **{**OFFER, "for": "anolderpage"})
    say(patient, **{**OFFER, "to": "patient", "for": PATIENTS})
    say(patient, say="candidate", to="doctor", **{"for": DOCTORS}, candidate=None)
    assert doctor.hear("call")["event"] == "candidate"
    hears_nothing_of_a_call(patient, doctor)


def test_another_call_and_who_only_waits_or_reads_hear_nothing(site: Site, consultation, both):
    doctor, patient = both
    das = on_duty(consultation.clinic, a_doctor())
    elsewhere = in_the_room(consultation.clinic, das)
    waits = waiting(consultation.clinic)
    with (
        page(site.url, room(elsewhere), das.user, staff=True) as other,
        patients_page(site.url, waits) as waiter,
        patients_page(site.url, consultation) as reader,
    ):
        join(other, "otherspage1")
        waiter.hear("hello")
        reader.hear("hello")
        say(waiter, say="join", page="waiterspage", media=MEDIA)  # not yet: dropped
        say(patient, **OFFER)
        doctor.hear("call", event="offer")
        for one in (other, waiter, reader):
            hears_nothing_of_a_call(one, doctor)
    assert set(consultation.call_events.values_list("role", flat=True)) == {"doctor", "patient"}
    assert not waits.call_events.exists()


def test_a_newer_page_of_a_person_takes_the_seat(site: Site, consultation, both):
    doctor, patient = both
    with patients_page(site.urls[0], consultation) as newer:
        join(newer, "newerpage1")
        assert patient.hear("call", event="elsewhere")
        doctor.hear("call", event="joined", page="newerpage1")
        say(patient, say="media", media=MEDIA)
        say(patient, **OFFER)
        say(newer, **OFFER)
        assert doctor.hear("call")["page"] == "newerpage1"
        say(doctor, say="offer", to="patient", **{"for": "newerpage1"}, sdp="v=0")
        newer.hear("call", event="offer")
        patient.socket.close()
        say(newer, say="media", media=MEDIA)
        assert doctor.hear("call")["event"] == "media"  # and not that somebody is lost


def test_the_last_words_of_a_page_that_lost_its_seat_do_not_cost_its_socket(
    site: Site, consultation, both
):
    """A page whose socket is shut for flooding loads anew, and would take the seat back."""
    _doctor, patient = both
    with patients_page(site.urls[0], consultation) as newer:
        join(newer, "newerpage1")
        patient.hear("call", event="elsewhere")
        say(patient, **OFFER | {"sdp": "x" * 6000})
        say(patient, say="ping")
        patient.hear("call", event="pong")


def test_of_two_pages_the_one_that_came_last_counts_in_whatever_order_it_is_told():
    async def seats() -> list[Seat]:
        doctor, patient = Seat(Mailbox()), Seat(Mailbox())
        doctor.role, doctor.page = Role.DOCTOR, DOCTORS
        patient.role, patient.page, patient.newest = Role.PATIENT, "newerpage1", {"patient": 7}
        return [doctor, patient]

    doctor, patient = asyncio.run(seats())
    came = {"type": "call", "event": "joined", "seat": "patient", "media": MEDIA}
    newer, older = (
        came | {"page": "newerpage1", "socket": 7},
        came | {"page": PATIENTS, "socket": 5},
    )
    assert [doctor.hears(newer), doctor.hears(older)] == [True, False]
    assert [patient.hears(newer), patient.hears(older)] == [False, False]
    assert patient.page == "newerpage1"
    went = came | {"page": "newerpage1"}
    assert not doctor.hears(went | {"event": "lost", "socket": 5})  # an older socket of that page
    assert doctor.hears(went | {"event": "lost", "socket": 7})
    assert not patient.hears(came | {"page": "newestpage", "socket": 9})
    assert patient.page == ""


def test_a_page_that_comes_back_is_the_same_and_its_old_socket_says_nothing(
    site: Site, consultation, both
):
    doctor, patient = both
    doctor.hear("call", event="joined")
    with patients_page(site.urls[0], consultation) as again:
        join(again, PATIENTS)
        doctor.hear("call", event="joined", page=PATIENTS)
        patient.socket.close()
        say(again, **OFFER)
        assert doctor.hear("call")["event"] == "offer"
    assert doctor.hear("call", event="lost")["page"] == PATIENTS
    until(lambda: consultation.call_events.filter(what="lost").exists())
    happened = consultation.call_events.filter(role="patient").values_list("what", flat=True)
    assert list(happened) == ["joined", "back", "lost"]


def test_an_old_socket_that_ends_unheard_of_its_newer_one_is_not_written_down_as_lost(
    site: Site, consultation
):
    patient = consultation.patient.account

    async def ends_after_the_other_came() -> None:
        old = Seat(Mailbox())
        said = {"say": "join", "page": PATIENTS, "media": MEDIA}
        assert await old.receive(said, consultation.pk, patient)
        again = partial(actions.join_call, pk=consultation.pk, by=patient, page=PATIENTS)
        assert (await in_database(again)).what == CallEvent.What.BACK
        await old.leave(CallEvent.What.LOST)
        await in_database(connections.close_all)

    asyncio.run(ends_after_the_other_came())
    assert list(consultation.call_events.values_list("what", flat=True)) == ["joined", "back"]


def test_who_says_goodbye_has_left_and_may_come_again(site: Site, both):
    doctor, patient = both
    say(patient, say="bye")
    assert doctor.hear("call", event="left")["seat"] == "patient"
    say(patient, say="join", page="secondpage", media=MEDIA)
    patient.hear("call", event="in", seat="patient")
    doctor.hear("call", event="joined", page="secondpage")


@pytest.mark.redis
def test_who_is_shut_out_in_the_middle_has_left_for_the_others(site: Site, consultation, both):
    doctor, patient = both
    account = consultation.patient.account
    account.is_active = False
    account.save()
    signed_out(account)
    assert doctor.hear("call", event="left")["page"] == PATIENTS
    assert patient.closed_with() == 4401


def test_no_call_is_joined_once_it_is_over(site: Site, consultation, both):
    doctor, patient = both
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    say(doctor, say="bye")
    say(doctor, say="join", page="latepage1", media=MEDIA)
    say(doctor, say="ping")
    patient.hear("call", event="left")
    doctor.hear("call", event="pong")
    assert not consultation.call_events.filter(page="latepage1").exists()


# --- what flows, and the servers ----------------------------------------------------------------
@pytest.fixture
def since_long(both):
    """As both(), five minutes later: what no page can have received is not believed."""
    CallEvent.objects.update(at=timezone.now() - timedelta(minutes=5))
    for one, name in zip(both, (DOCTORS, PATIENTS), strict=True):
        say(one, say="join", page=name, media=MEDIA)
        one.hear("call", event="in")
    return both


def in_order(one: Page) -> None:
    """Returns once everything that was said so far is done."""
    say(one, say="ping")
    one.hear("call", event="pong")


def legs(consultation: Consultation) -> dict[tuple[str, str], tuple[int, int]]:
    kept = CallLeg.objects.filter(consultation=consultation).order_by("pk")
    return {(leg.page, leg.other): (leg.video_seconds, leg.sound_seconds) for leg in kept}


def test_what_each_page_got_is_kept_and_makes_the_mode(site: Site, consultation, since_long):
    doctor, patient = since_long
    say(doctor, say="got", got={"patient": [35, 50]})
    say(patient, say="got", got={"doctor": [40, 60], "specialist": [0, 3]})
    for one in since_long:
        in_order(one)
    assert legs(consultation) == {
        (DOCTORS, "patient"): (35, 50),
        (PATIENTS, "doctor"): (40, 60),
        (PATIENTS, "specialist"): (0, 3),
    }
    consultation.refresh_from_db()
    assert (consultation.video_seconds, consultation.sound_seconds) == (35, 50)
    assert consultation.mode == "video"


def test_the_last_report_comes_with_the_goodbye_and_from_a_page_that_lost_its_seat(
    site: Site, consultation, since_long
):
    doctor, patient = since_long
    with patients_page(site.urls[0], consultation) as newer:
        join(newer, "newerpage1")
        patient.hear("call", event="elsewhere")
        say(patient, say="got", got={"doctor": [31, 32]})
        in_order(patient)
    say(doctor, say="got", got={"patient": [33, 34]})
    say(doctor, say="bye")
    doctor.socket.close()
    until(lambda: consultation.call_events.filter(role="doctor", what="left").exists())
    assert legs(consultation) == {
        (PATIENTS, "doctor"): (31, 32),
        (DOCTORS, "patient"): (33, 34),
    }


@pytest.mark.parametrize("goodbye", [True, False], ids=["goodbye", "lost"])
def test_what_cannot_change_the_mode_any_more_is_kept_when_the_page_goes(
    site: Site, consultation, since_long, goodbye: bool
):
    _doctor, patient = since_long
    for got, kept in [([12, 31], (12, 31)), ([30, 31], (30, 31)), ([90, 95], (30, 31))]:
        say(patient, say="got", got={"doctor": got})
        in_order(patient)
        assert legs(consultation) == {(PATIENTS, "doctor"): kept}
    if goodbye:
        say(patient, say="bye")
    else:
        patient.socket.close()
    until(lambda: legs(consultation) == {(PATIENTS, "doctor"): (90, 95)})


def test_who_never_came_in_or_hears_itself_reports_nothing(site: Site, consultation, both):
    _doctor, patient = both
    say(patient, say="got", got={"patient": [9, 9]})
    in_order(patient)
    with patients_page(site.urls[0], consultation) as reader:
        reader.hear("hello")
        say(reader, say="got", got={"doctor": [9, 9]})
        in_order(reader)
    assert legs(consultation) == {}


def test_the_servers_are_named_on_coming_in_and_anew_while_there_is_a_call(
    site: Site, consultation, both
):
    doctor, patient = both
    with browser_of(consultation.patient.account, site.url) as phone:
        known = phone.get(reverse("consult:ice", args=[consultation.uid])).json()
    addresses = [server["urls"] for server in known["iceServers"]]
    say(patient, say="servers")
    named = patient.hear("call", event="servers")["servers"]
    assert [server["urls"] for server in named["iceServers"]] == addresses
    with patients_page(site.url, consultation) as reader:
        reader.hear("hello")
        say(reader, say="servers")
        hears_nothing_of_a_call(reader, reader)
    say(doctor, say="bye")
    say(doctor, say="join", page="secondpage", media=MEDIA)
    named = doctor.hear("call", event="in")["servers"]
    assert [server["urls"] for server in named["iceServers"]] == addresses
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    say(doctor, say="servers")
    hears_nothing_of_a_call(doctor, doctor)


# --- trouble ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("nonsense", "times"),
    [
        ('{"say": "offer"}', 21),
        (json.dumps({**OFFER, "sdp": "x" * (MAX_SIGNAL + 1)}), 21),
        (json.dumps({"say": "media", "media": MEDIA}), BURST * 10),  # 20 a second are taken
    ],
    ids=["malformed", "huge", "a flood"],
)
def test_nonsense_and_floods_are_dropped_and_on_repetition_the_socket_closes(
    site: Site, both, nonsense: str, times: int
):
    doctor, patient = both
    patient.socket.send(nonsense)
    say(patient, **OFFER)
    doctor.hear("call", event="offer")
    with contextlib.suppress(ConnectionClosed):
        for _time in range(times):
            patient.socket.send(nonsense)
    assert patient.closed_with() == 4408
    assert doctor.hear("call", event="lost")["seat"] == "patient"
    say(doctor, say="ping")
    doctor.hear("call", event="pong")
