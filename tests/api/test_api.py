"""The open door's own manners: who may, what is refused, and one answer per key."""

import sys
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.actions import answers
from accounts.api.shapes import NoticeOutput, PatientOutput
from accounts.api.telling import told
from accounts.gates import PHONE_BACKEND
from accounts.models import ApiToken, AuditEvent, KeptAnswer, Message, Patient, User
from accounts.models.limits import Counting
from consult.api.shapes import ConsultationOutput, EarlierOutput
from consult.models import Consultation
from queues.models import Token
from tests.api.program import ASHA, Program
from tests.at_once import at_once
from tests.factories import (
    PASSWORD,
    a_clinic,
    a_doctor,
    a_draft,
    a_patient,
    a_photo,
    a_state,
    a_user,
    an_upload,
    as_staff,
    code_sent_to,
    in_the_room,
    on_duty,
    refused_to,
    totp_code,
    waiting,
)

pytestmark = pytest.mark.django_db


def booked(asha: Program, clinic) -> dict:
    """A draft of a new patient."""
    person = asha.post("patients/", ASHA).json()
    draft = {
        "patient": person["uid"],
        "clinic": str(clinic.uid),
        "complaint": "Fever",
        "since": "days",
    }
    return asha.post("consultations/", draft).json()


def test_a_code_gives_a_token_with_the_name_of_the_device():
    a_state()
    program = Program()
    assert program.post("sign-in/code/", {"phone": "98765 43210"}).status_code == 204
    typed = {
        "phone": "98765 43210",
        "code": code_sent_to("+919876543210"),
        "device": "Asha's phone",
    }
    answer = program.post("sign-in/", typed)
    assert (answer.status_code, answer.json()["device"]) == (201, "Asha's phone")
    program.headers["Authorization"] = f"Bearer {answer.json()['key']}"
    assert program.get("me/").json()["phone"] == "+91 ··· ··210"
    assert answer.json()["key"] not in str(list(ApiToken.objects.values()))
    issued, asha = AuditEvent.objects.get(action="token.issue"), User.objects.get()
    assert (issued.by, issued.target) == (asha, f"apitoken:{ApiToken.objects.get(user=asha).uid}")


def test_who_may_not_come_in_any_more_gets_no_token():
    asha = a_user()
    User.objects.filter(pk=asha.pk).update(is_active=False)
    program = Program()
    program.post("sign-in/code/", {"phone": asha.phone})
    typed = {"phone": asha.phone, "code": code_sent_to(asha.phone), "device": "x"}
    answer = program.post("sign-in/", typed)
    assert (answer.status_code, answer.json()["code"]) == (409, "expired")
    assert not ApiToken.objects.exists()
    assert not AuditEvent.objects.filter(action="token.issue").exists()


def test_a_wrong_code_is_refused_with_its_reason():
    a_state()
    program = Program()
    program.post("sign-in/code/", {"phone": "98765 43210"})
    wrong = str((int(code_sent_to("+919876543210")) + 1) % 1_000_000).zfill(6)
    answer = program.post("sign-in/", {"phone": "9876543210", "code": wrong, "device": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong")
    assert not ApiToken.objects.exists()


def test_a_lost_phone_is_signed_out_from_another():
    asha = a_user()
    lost, here = Program(asha), Program(asha)
    (theirs,) = [one for one in here.get("devices/").json() if not one["is_this"]]
    assert here.ask("delete", f"devices/{theirs['uid']}/").status_code == 204
    assert (lost.get("me/").status_code, here.get("me/").status_code) == (401, 200)
    here.post("sign-out/")
    assert here.get("me/").json()["code"] == "authentication_failed"


def test_a_doctor_needs_both_factors():
    rao = a_doctor()
    program = Program()
    typed = {"phone": rao.user.phone, "password": PASSWORD, "device": "desk"}
    key = program.post("sign-in/staff/", typed | {"code": totp_code(rao.user)}).json()["key"]
    program.headers["Authorization"] = f"Bearer {key}"
    assert program.get("desk/").status_code == 200
    assert Program(rao.user).get("desk/").json()["code"] == "doctors_only"
    again = program.post("sign-in/staff/", typed | {"code": totp_code(rao.user)})
    assert (again.status_code, again.json()["code"]) == (409, "wrong")  # a code works once


def test_nothing_of_patients_before_the_notice():
    asha = Program(User.objects.create(phone="+919876500000"))
    assert asha.get("patients/").json()["code"] == "notice_needed"
    assert asha.post("notice/").json()["is_accepted"] is True
    assert asha.get("patients/").json() == []


def test_bad_input_says_what_is_wrong_and_changes_nothing():
    a_state()
    asha = Program(a_user())
    assert asha.client.post(
        "/api/v1/patients/", "{oops", content_type="application/json", headers=asha.headers
    ).json()["code"] == "parse_error"  # fmt: skip
    for wrong, field in [
        ({**ASHA, "state": "Kerala"}, "state"),
        ({**ASHA, "is_admin": True}, "is_admin"),
        ({**ASHA, "age": 6}, "guardian_name"),
        ({**ASHA, "sex": ["female"]}, "sex"),
        ([ASHA], "non_field_errors"),
    ]:
        answer = asha.post("patients/", wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert field in answer.json()["fields"]
    assert Patient.objects.count() == 0


def test_the_same_key_gives_the_first_answer_and_does_nothing_twice():
    clinic = a_clinic()
    on_duty(clinic)
    asha = Program(a_user())
    uid = booked(asha, clinic)["uid"]
    key, consent = uuid.uuid4().hex, {"consent": True}
    first = asha.post(f"consultations/{uid}/request/", consent, Idempotency_Key=key)
    again = asha.post(f"consultations/{uid}/request/", consent, Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert Token.objects.count() == 1
    other = asha.post(f"consultations/{uid}/request/", {"consent": False}, Idempotency_Key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    without = asha.post(f"consultations/{uid}/request/", consent)
    assert (without.status_code, without.json()["code"]) == (409, "already_waiting")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_ten_at_once_with_one_key_one_is_done():
    a_state()
    user, key = a_user(), uuid.uuid4().hex
    programs = [Program(user) for _device in range(10)]
    asked = at_once(
        10, lambda number: programs[number].post("patients/", ASHA, Idempotency_Key=key)
    )
    assert Patient.objects.count() == 1
    codes = {one.json().get("code", one.status_code) for one in asked}
    assert 201 in codes
    assert codes <= {201, "in_progress"}
    assert len({one.json()["uid"] for one in asked if one.status_code == 201}) == 1


def test_a_kept_answer_is_read_by_nobody_without_the_key():
    a_state()
    asha = Program(a_user())
    asha.post("patients/", ASHA, Idempotency_Key=uuid.uuid4().hex)
    (kept,) = KeptAnswer.objects.all()
    assert kept.status == 201
    assert b"Asha" not in bytes(kept.sealed)


def test_who_died_at_work_is_taken_over_and_keeps_no_answer_any_more():
    limit = Counting(("api address", "10.0.0.1", 10), window=timedelta(minutes=1))
    key = uuid.uuid4().hex

    def asked(request: str = "POST /patients/"):
        once = answers.Once(key, request)
        return answers.reserve(who="7", once=once, limit=limit).right_to_answer()

    first = asked()
    with pytest.raises(answers.StillAtWork):
        asked()
    KeptAnswer.objects.update(
        created_at=F("created_at") - answers.AT_WORK_FOR - timedelta(seconds=1)
    )
    second = asked()
    assert isinstance(first, answers.Reservation)
    assert isinstance(second, answers.Reservation)
    first.keep(answers.Answer(500, {"code": "late"}))
    first.give_up()
    second.keep(answers.Answer(201, {"uid": uuid.UUID(int=1)}, {"Location": "/1"}))
    assert asked() == answers.Answer(201, {"uid": str(uuid.UUID(int=1))}, {"Location": "/1"})
    with pytest.raises(answers.OtherRequest):
        asked("POST /notice/")


def test_an_answer_is_told_as_its_serializer_would():
    clinic = a_clinic()
    seen = in_the_room(clinic, on_duty(clinic))
    draft = a_draft(clinic)
    for kind, row in [
        (ConsultationOutput, seen),
        (ConsultationOutput, draft),  # without doctor and token
        (EarlierOutput, seen),  # without a note
        (PatientOutput, seen.patient),
        (NoticeOutput, {"version": "1", "address": "https://example.org", "is_accepted": True}),
    ]:
        shape: Any = kind()
        assert told(shape, row) == shape.to_representation(row)


def test_the_key_of_another_person_is_another_key():
    a_state()
    key = uuid.uuid4().hex
    answers = [
        Program(a_user()).post("patients/", ASHA, Idempotency_Key=key).json()["uid"]
        for _who in range(2)
    ]
    assert len(set(answers)) == 2


def test_a_refusal_is_replayed_too():
    asha = Program(a_user())
    key = uuid.uuid4().hex
    first = asha.post("patients/", {"name": "A"}, Idempotency_Key=key)
    again = asha.post("patients/", {"name": "A"}, Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.json() == first.json()


def test_a_stranger_gets_404_and_is_written_down():
    clinic = a_clinic()
    theirs = in_the_room(clinic, on_duty(clinic))
    stranger = a_user()
    program = Program(stranger)
    paths = ["", "messages/", "place/", "vitals/", "prescription/", "files/"]
    got = [program.get(f"consultations/{theirs.uid}/{path}").status_code for path in paths]
    assert got == [404] * len(paths)
    assert program.get(f"patients/{theirs.patient.uid}/").json()["code"] == "not_found"
    assert refused_to(stranger) == [f"consultation:{theirs.uid}"] * len(paths) + [
        f"patient:{theirs.patient.uid}"
    ]


def test_a_polled_list_answers_304_until_it_changes():
    clinic = a_clinic()
    asha = Program(a_user())
    first = asha.get("clinics/?state=32")
    assert first.json()[0]["doctors"] == 0
    assert asha.get("clinics/?state=32", If_None_Match=first["ETag"]).status_code == 304
    on_duty(clinic)
    changed = asha.get("clinics/?state=32", If_None_Match=first["ETag"])
    assert (changed.status_code, changed.json()[0]["doctors"]) == (200, 1)


def test_pages_of_consultations_follow_a_cursor():
    clinic = a_clinic()
    on_duty(clinic)
    account = a_user()
    oldest, middle, newest = [str(waiting(clinic, a_patient(account)).uid) for _n in range(3)]
    asha = Program(account)
    page = asha.get("consultations/?page_size=2").json()
    assert [one["uid"] for one in page["results"]] == [newest, middle]
    waiting(clinic, a_patient(account))  # what comes meanwhile moves nothing
    rest = asha.get(page["next"].partition("/api/v1/")[2]).json()
    assert ([one["uid"] for one in rest["results"]], rest["next"]) == ([oldest], None)


def test_a_photo_is_checked_and_a_false_one_refused():
    clinic = a_clinic()
    asha = Program(a_user())
    uid = booked(asha, clinic)["uid"]
    path = f"/api/v1/consultations/{uid}/files/"
    key = {"Idempotency-Key": uuid.uuid4().hex}
    for _twice in range(2):
        kept = asha.client.post(path, {"file": an_upload(a_photo())}, headers=asha.headers | key)
        assert kept.status_code == 201
    assert Consultation.objects.get(uid=uid).attachments.count() == 1
    false = asha.client.post(path, {"file": an_upload(b"<html>")}, headers=asha.headers)
    assert (false.status_code, list(false.json()["fields"])) == (400, ["file"])
    shown = asha.get(f"consultations/{uid}/files/{kept.json()['uid']}/")
    assert b"".join(shown.streaming_content).startswith(b"\xff\xd8")


@pytest.mark.usefixtures("one_moment")
def test_too_many_requests_wait(settings):
    settings.API_PER_MINUTE = {"person": 2, "address": 2}
    asha = Program(a_user())
    answers = [asha.get("me/") for _n in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60


@pytest.mark.usefixtures("one_moment")
def test_who_guesses_keys_or_knocks_at_a_closed_gate_waits(settings):
    settings.API_PER_MINUTE = {"person": 2, "address": 2}
    guess = Program()
    guess.headers["Authorization"] = "Bearer esp_guess"
    guesses = [guess.get("me/") for _n in range(3)]
    assert [one.status_code for one in guesses] == [401, 401, 429]
    assert 0 < int(guesses[-1]["Retry-After"]) <= 60
    asha = Program(a_user())
    assert [asha.get("desk/").status_code for _n in range(3)] == [403, 403, 429]


@pytest.mark.usefixtures("one_moment")
def test_a_page_of_another_site_that_tries_in_somebodys_name_waits(settings):
    settings.API_PER_MINUTE = {"person": 9, "address": 2}
    page = Client(enforce_csrf_checks=True)
    page.force_login(a_user(), backend=PHONE_BACKEND)
    tries = [page.post("/api/v1/notice/") for _n in range(3)]
    assert [one.status_code for one in tries] == [403, 403, 429]


@pytest.mark.postgresql
def test_who_is_right_pays_nothing_for_those_who_guess(django_assert_num_queries):
    asha = Program(a_user())
    asha.get("devices/")
    with django_assert_num_queries(2):  # whose key it is and how often, the devices
        assert asha.get("devices/").status_code == 200


def test_the_document_is_for_everybody_and_its_page_for_staff():
    assert Client().get("/api/v1/schema/").status_code == 200
    page = reverse("api_page")
    assert Client().get(page).status_code == 404
    assert as_staff(a_doctor().user).get(page).status_code == 404
    officer = a_doctor().user
    User.objects.filter(pk=officer.pk).update(is_staff=True)
    assert as_staff(officer).get(page).status_code == 200


def test_the_document_is_made_once_for_all_who_ask_for_it():
    """It is half a second's work, and open to everybody without a limit."""
    calls = 0

    def count(_frame: Any, event: str, _what: Any) -> None:
        nonlocal calls
        calls += event == "call"

    first = Client().get("/api/v1/schema/?format=json")
    sys.setprofile(count)
    try:
        again = Client().get("/api/v1/schema/?format=json")
    finally:
        sys.setprofile(None)
    assert again.content == first.content
    assert calls < 20_000  # of about a million


def test_what_the_api_does_stands_in_the_audit():
    a_state()
    asha = a_user()
    Program(asha).post("patients/", ASHA)
    actions = set(AuditEvent.objects.filter(by=asha).values_list("action", flat=True))
    assert {"token.issue", "patient.register"} <= actions
    assert Message.objects.count() == 0
