"""The call without its media: who has a seat, what flowed, the mode, and the ways on."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.phone import spaced
from consult import actions
from consult.actions.flow import CLOCKS_DIFFER_BY
from consult.models import AbuseReport, CallEvent, CallLeg, Consultation
from consult.models.mode import SOUND_FROM_SECONDS, VIDEO_FROM_SECONDS, Mode, mode_of
from queues.actions import NobodyPresent
from queues.models import KeptApart, MoveRefused
from tests.at_once import at_once
from tests.factories import (
    a_clinic,
    a_doctor,
    a_draft,
    a_patient,
    a_user,
    as_patient,
    as_staff,
    called,
    in_the_room,
    on_duty,
    prescribed,
    waiting,
)

pytestmark = pytest.mark.django_db
DOCTORS, PATIENTS = "doctorspage1", "patientspage1"


@pytest.fixture
def rao():
    return on_duty(a_clinic())


@pytest.fixture
def consultation(rao) -> Consultation:
    return in_the_room(rao.duties.get().clinic, rao)


def address(name: str, consultation: Consultation) -> str:
    return reverse(f"consult:{name}", kwargs={"consultation": consultation.uid})


def joined(consultation: Consultation, minutes_ago: int = 10) -> None:
    """Both pages came in some time ago."""
    for by, page in [(consultation.doctor.user, DOCTORS), (consultation.patient.account, PATIENTS)]:
        actions.join_call(pk=consultation.pk, by=by, page=page)
    long_ago = timezone.now() - timedelta(minutes=minutes_ago)
    CallEvent.objects.filter(consultation=consultation).update(at=long_ago)


def since_they_came() -> float:
    """Seconds, and by how many clocks may differ."""
    there = timezone.now() - CallEvent.objects.earliest("at").at
    return (there + CLOCKS_DIFFER_BY).total_seconds()


def got(consultation: Consultation, page: str, other: str, video: int, sound: int) -> Consultation:
    """The consultation as it is when `page` has reported this."""
    came = CallEvent.objects.get(consultation=consultation, page=page)
    flows = [actions.Flow(other, video, sound)]
    actions.report_flow(came=came, since=actions.came_first(came), flows=flows)
    return Consultation.objects.get(pk=consultation.pk)


def doctor_got(consultation: Consultation, video: int, sound: int) -> Consultation:
    return got(consultation, DOCTORS, "patient", video, sound)


def patient_got(consultation: Consultation, video: int, sound: int) -> Consultation:
    return got(consultation, PATIENTS, "doctor", video, sound)


# --- who has a seat -----------------------------------------------------------------------------
def test_who_comes_and_who_comes_back_is_written_down(consultation):
    by = consultation.patient.account
    assert actions.join_call(pk=consultation.pk, by=by, page=PATIENTS).role == "patient"
    actions.join_call(pk=consultation.pk, by=by, page=PATIENTS)
    actions.join_call(pk=consultation.pk, by=by, page="anotherpage")
    assert list(consultation.call_events.values_list("what", "page")) == [
        ("joined", PATIENTS),
        ("back", PATIENTS),
        ("joined", "anotherpage"),
    ]
    assert (
        AuditEvent.objects.filter(action="call.joined", patient=consultation.patient).count() == 2
    )


def test_the_page_that_came_last_has_the_seat(consultation):
    by = consultation.patient.account
    first, last = (
        actions.join_call(pk=consultation.pk, by=by, page=page)
        for page in (PATIENTS, "anotherpage")
    )
    actions.join_call(pk=consultation.pk, by=consultation.doctor.user, page=DOCTORS)
    actions.note_event(consultation=consultation, by=by, role="patient", what="lost", page=PATIENTS)
    assert actions.page_after(first) == "anotherpage"
    assert actions.page_after(last) is None


def test_who_waits_who_is_a_stranger_and_who_is_too_late_has_no_seat(rao, consultation):
    waits = waiting(rao.duties.get().clinic)
    actions.complete(consultation=consultation, by=rao.user)
    for what, by in [
        (waits, waits.patient.account),
        (waits, a_user()),
        (consultation, rao.user),
    ]:
        with pytest.raises(MoveRefused):
            actions.join_call(pk=what.pk, by=by, page=PATIENTS)


# --- what flowed --------------------------------------------------------------------------------
def test_what_both_sides_received_counts_and_nothing_else(consultation):
    joined(consultation)
    assert doctor_got(consultation, 100, 200).video_seconds == 0
    both = patient_got(consultation, 90, 150)
    assert (both.video_seconds, both.sound_seconds) == (90, 150)
    more = patient_got(consultation, 500, 500)
    assert (more.video_seconds, more.sound_seconds) == (100, 200)


def test_a_report_that_comes_twice_or_out_of_order_changes_nothing(consultation):
    joined(consultation)
    doctor_got(consultation, 100, 100)
    for video in (90, 60, 90):
        patient_got(consultation, video, video)
    consultation.refresh_from_db()
    assert (consultation.video_seconds, CallLeg.objects.count()) == (90, 2)


def test_seconds_of_several_pages_of_one_person_add_up(consultation):
    joined(consultation)
    doctor_got(consultation, 300, 300)
    patient_got(consultation, 60, 60)
    account = consultation.patient.account
    actions.join_call(pk=consultation.pk, by=account, page="afterreload")
    CallEvent.objects.update(at=timezone.now() - timedelta(minutes=10))
    assert got(consultation, "afterreload", "doctor", 40, 40).video_seconds == 100


def test_no_page_received_for_longer_than_it_was_there(consultation):
    joined(consultation, minutes_ago=1)
    doctor_got(consultation, 9000, 9000)
    assert 60 <= patient_got(consultation, 9000, 9000).video_seconds <= since_they_came()


def test_a_page_that_comes_back_was_there_since_it_came_first(consultation):
    joined(consultation, minutes_ago=1)
    doctor_got(consultation, 9000, 9000)
    back = actions.join_call(pk=consultation.pk, by=consultation.patient.account, page=PATIENTS)
    since = actions.came_first(back)
    actions.report_flow(came=back, since=since, flows=[actions.Flow("doctor", 50, 9000)])
    consultation.refresh_from_db()
    assert consultation.video_seconds == 50
    assert 60 <= consultation.sound_seconds <= since_they_came()


@pytest.mark.django_db(transaction=True)
def test_of_reports_at_the_same_time_none_is_lost():
    clinic = a_clinic()
    rooms = [in_the_room(clinic, on_duty(clinic, a_doctor())) for _ in range(5)]
    for consultation in rooms:
        joined(consultation)
        at_once(2, lambda side, room=consultation: (doctor_got, patient_got)[side](room, 100, 90))
        consultation.refresh_from_db()
        assert (consultation.video_seconds, consultation.sound_seconds) == (100, 90)


def test_a_report_costs_two_statements_and_no_lock(consultation, django_assert_num_queries):
    joined(consultation)
    came = CallEvent.objects.select_related("consultation").get(page=DOCTORS)  # as a seat holds it
    since = actions.came_first(came)
    with django_assert_num_queries(2) as asked:
        actions.report_flow(came=came, since=since, flows=[actions.Flow("patient", 9, 9)])
    assert not any("FOR UPDATE" in query["sql"] for query in asked)


def test_nobody_receives_from_themselves(consultation):
    with pytest.raises(IntegrityError), transaction.atomic():
        CallLeg.objects.create(
            consultation=consultation,
            by=consultation.patient.account,
            role="patient",
            other="patient",
            page=PATIENTS,
        )


@pytest.mark.parametrize(
    ("video", "sound", "mode"),
    [
        (0, 0, Mode.TEXT),
        (VIDEO_FROM_SECONDS - 1, SOUND_FROM_SECONDS - 1, Mode.TEXT),
        (VIDEO_FROM_SECONDS - 1, SOUND_FROM_SECONDS, Mode.AUDIO),
        (VIDEO_FROM_SECONDS, 0, Mode.VIDEO),
        (900, 900, Mode.VIDEO),
    ],
)
def test_the_mode_is_the_best_that_lasted(video: int, sound: int, mode: Mode):
    assert mode_of(video_seconds=video, sound_seconds=sound) == mode
    assert Consultation(video_seconds=video, sound_seconds=sound).mode == mode


# --- the servers --------------------------------------------------------------------------------
def test_credentials_are_made_as_coturn_checks_them_and_name_nobody(consultation, settings):
    settings.TURN_URLS = ["stun:turn.example.org:3478", "turn:turn.example.org:3478?transport=udp"]
    settings.TURN_SECRET, settings.TURN_SECONDS = "shared", 1800
    before = int(time.time())
    given = as_patient(consultation.patient.account).get(address("ice", consultation)).json()
    stun, turn = given["iceServers"]
    assert (given["iceTransportPolicy"], stun) == ("all", {"urls": ["stun:turn.example.org:3478"]})
    expires, opaque = turn["username"].split(":")
    assert before <= int(expires) - 1800 <= time.time()
    assert str(consultation.uid) not in opaque
    digest = hmac.new(b"shared", turn["username"].encode(), hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(digest).decode()


def test_without_servers_calls_are_direct_and_turn_only_says_so(consultation, settings):
    client = as_patient(consultation.patient.account)
    settings.TURN_URLS = []
    assert client.get(address("ice", consultation)).json() == {
        "iceServers": [],
        "iceTransportPolicy": "all",
    }
    settings.TURN_ONLY = True
    assert client.get(address("ice", consultation)).json()["iceTransportPolicy"] == "relay"


@pytest.mark.usefixtures("one_moment")
def test_credentials_are_for_open_consultations_and_not_without_end(rao, consultation, settings):
    client = as_staff(rao.user)
    answers = [client.get(address("ice", consultation)).status_code for _time in range(241)]
    assert set(answers[:240]) == {200}
    assert answers[240] == 429
    actions.complete(consultation=consultation, by=rao.user)
    assert client.get(address("ice", consultation)).status_code == 409


# --- pages and what they may use ----------------------------------------------------------------
def test_only_the_rooms_and_the_device_page_may_use_the_camera(rao, consultation):
    clinic = rao.duties.get().clinic
    waits = waiting(clinic)
    asha, doctor = as_patient(consultation.patient.account), as_staff(rao.user)
    other = as_patient(waits.patient.account)
    allowed = {
        "room": asha.get(address("visit", consultation)),
        "doctors_room": doctor.get(address("doctors_room", consultation)),
        "doctors_room, with a mistake": doctor.post(address("refer", consultation), {}),
        "devices": other.get(address("devices", waits)),
        "waiting": other.get(address("visit", waits)),
        "desk": doctor.get("/doctor/"),
        "home": asha.get("/"),
    }
    policies = {name: page.headers["Permissions-Policy"] for name, page in allowed.items()}
    may = {name for name, said in policies.items() if "camera=(self), microphone=(self)" in said}
    assert may == {"room", "doctors_room", "doctors_room, with a mistake", "devices"}
    assert all("camera=()" in policies[name] for name in policies.keys() - may)


def test_the_device_page_is_for_who_waits(rao, consultation):
    waits = waiting(rao.duties.get().clinic)
    client = as_patient(waits.patient.account)
    assert client.get(address("devices", waits)).status_code == 200
    actions.leave(consultation=waits, by=waits.patient.account)
    assert client.get(address("devices", waits)).url == address("visit", waits)
    inside = as_patient(consultation.patient.account)
    assert inside.get(address("devices", consultation)).url == address("visit", consultation)


# --- the ways on --------------------------------------------------------------------------------
def test_the_number_is_shown_only_to_the_doctor_and_only_if_the_patient_agreed(rao, consultation):
    client, url = as_staff(rao.user), address("phone", consultation)
    phone = consultation.patient.account.phone
    refused = client.post(url, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_agreed")
    shown = client.get(address("doctors_room", consultation)).content.decode()
    assert phone not in shown
    assert spaced(phone) not in shown
    Consultation.objects.update(may_phone=True)
    shown = client.get(address("doctors_room", consultation)).content.decode()
    assert phone not in shown
    assert spaced(phone) not in shown
    assert client.post(url, headers={"Accept": "application/json"}).json() == {"phone": phone}
    assert spaced(phone) in client.post(url, follow=True).content.decode()
    read = AuditEvent.objects.filter(action="phone.read", patient=consultation.patient)
    assert read.count() == consultation.call_events.filter(what="phone").count() == 2


def test_whether_to_be_phoned_is_asked_and_is_no_when_nobody_ticks_it(rao):
    clinic = rao.duties.get().clinic
    assert waiting(clinic).may_phone is False
    draft = a_draft(clinic)
    client, url = as_patient(draft.patient.account), address("confirm", draft)
    assert "phone me" in client.get(url).content.decode()
    client.post(url, {"consent": "on", "may_phone": "on"})
    draft.refresh_from_db()
    assert (draft.state, draft.may_phone) == ("requested", True)


def test_a_patient_put_back_goes_first_and_finds_everything_as_it_was(rao, consultation):
    clinic = rao.duties.get().clinic
    actions.save_note(consultation=consultation, by=rao.user, diagnosis="Viral fever")
    behind = waiting(clinic)
    client = as_staff(rao.user)
    assert client.post(address("put_back", consultation)).url == "/doctor/"
    consultation.refresh_from_db()
    assert (consultation.state, consultation.doctor) == ("requested", None)
    assert consultation.token.state == "waiting"
    page = as_patient(consultation.patient.account).get(address("visit", consultation))
    assert "go first" in page.content.decode()
    assert called(clinic, rao) == consultation
    again = actions.begin(consultation=consultation, by=consultation.patient.account)
    assert again.note.diagnosis == "Viral fever"
    prescribed(Consultation.objects.get(pk=consultation.pk))
    assert behind.token.state == "waiting"


def test_a_consultation_that_has_ended_is_not_put_back_phoned_or_reported(rao, consultation):
    Consultation.objects.update(may_phone=True)
    actions.complete(consultation=consultation, by=rao.user)
    client = as_staff(rao.user)
    for name in ("put_back", "phone", "in_text", "report"):
        assert client.post(address(name, consultation)).status_code == 302
    consultation.refresh_from_db()
    assert consultation.state == "completed"
    assert not consultation.call_events.exists()
    assert not AbuseReport.objects.exists()


@pytest.mark.parametrize("who", ["doctor", "patient"])
def test_a_report_ends_the_talk_parts_the_two_and_reaches_an_officer(rao, consultation, who: str):
    account = consultation.patient.account
    client, by = (
        (as_staff(rao.user), rao.user) if who == "doctor" else (as_patient(account), account)
    )
    client.post(address("report", consultation), {"words": " He was indecent. "})
    consultation.refresh_from_db()
    assert (consultation.state, consultation.end_reason) == ("returned", "reported")
    assert consultation.token.state == "done"
    report = AbuseReport.objects.get(consultation=consultation)
    assert (report.by, report.role, report.words) == (by, who, "He was indecent.")
    assert AuditEvent.objects.filter(action="call.report", by=by).count() == 1
    assert KeptApart.objects.filter(doctor=rao, patient=consultation.patient).count() == 1
    page = as_patient(account).get(address("visit", consultation)).content.decode()
    assert "The talk was ended and reported" in page
    clinic = rao.duties.get().clinic
    on_duty(clinic)  # else there is no token for them
    waiting(clinic, a_patient(account))
    with pytest.raises(NobodyPresent):
        called(clinic, rao)


def test_to_go_on_in_writing_is_written_down(rao, consultation):
    client = as_staff(rao.user)
    answer = client.post(address("in_text", consultation), headers={"Accept": "application/json"})
    assert answer.status_code == 204
    assert list(consultation.call_events.values_list("what", "role")) == [("text", "doctor")]
    assert json.loads(json.dumps(consultation.mode)) == "text"
