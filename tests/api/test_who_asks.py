"""Who asks, the limit and the right to answer are one statement, and each still does what it did alone."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import KeptAnswer, RateLimit, User
from tests.api.program import ASHA, Program
from tests.factories import a_clinic, a_draft, a_photo, a_state, a_user, an_upload, as_patient

pytestmark = pytest.mark.django_db


def a_key() -> str:
    return uuid.uuid4().hex


def hits() -> int:
    return sum(RateLimit.objects.values_list("hits", flat=True))


def someone_new() -> User:
    """Who has not accepted the privacy notice."""
    return User.objects.create(phone="+919876500000")


@pytest.mark.postgresql
def test_a_post_asks_once_before_it_does_anything_and_keeps_its_answer():
    asha = Program(someone_new())
    with CaptureQueriesContext(connection) as asked:
        assert asha.post("notice/", Idempotency_Key=a_key()).status_code == 200
    who_asks, accepted, kept = [query["sql"] for query in asked]
    assert "accounts_apitoken" in who_asks
    assert "accounts_ratelimit" in who_asks
    assert "accounts_keptanswer" in who_asks
    assert "accounts_noticeacceptance" in accepted
    assert kept.startswith("UPDATE accounts_keptanswer")


def test_an_unknown_key_is_refused_counts_for_its_address_and_reserves_nothing():
    asha = Program(a_user())
    asha.headers["Authorization"] += "x"
    answer = asha.post("patients/", ASHA, Idempotency_Key=a_key())
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
    assert (hits(), KeptAnswer.objects.count()) == (1, 0)


def test_who_may_not_do_it_yet_may_ask_again_with_the_same_key():
    a_state()
    asha, key = Program(someone_new()), a_key()
    refused = asha.post("patients/", ASHA, Idempotency_Key=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "notice_needed")
    assert KeptAnswer.objects.count() == 0
    asha.post("notice/")
    assert asha.post("patients/", ASHA, Idempotency_Key=key).status_code == 201


def test_the_limit_is_one_of_the_person_whatever_they_ask_from(settings):
    settings.API_PER_MINUTE = {"person": 0, "address": 9}
    user = a_user()
    phone, tablet, browser = Program(user), Program(user), as_patient(user)
    answers = [
        phone.post("notice/", Idempotency_Key=a_key()),
        tablet.get("me/"),
        browser.get("/api/v1/me/"),
    ]
    assert [one.status_code for one in answers] == [429] * 3
    assert 0 < int(answers[0]["Retry-After"]) <= 60
    assert RateLimit.objects.values_list("key", flat=True).distinct().count() == 1
    assert hits() == 3  # what is refused counts too
    assert KeptAnswer.objects.count() == 0


def test_a_key_is_the_persons_on_each_of_their_devices():
    a_state()
    user, key = a_user(), a_key()
    first, again = (
        Program(user).post("patients/", ASHA, Idempotency_Key=key) for _phone in range(2)
    )
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"


def test_a_body_without_a_key_is_not_read_beyond_the_limit(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000
    answer = Program(a_user()).post("patients/", ASHA | {"name": "x" * 3_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_big")


def test_a_body_that_is_too_big_and_files_count_once_too(settings):
    draft = a_draft(a_clinic())
    asha = Program(draft.patient.account)
    path, key = f"/api/v1/consultations/{draft.uid}/files/", {"Idempotency-Key": a_key()}
    sent = asha.client.post(path, {"file": an_upload(a_photo())}, headers=asha.headers | key)
    assert sent.status_code == 201
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    answer = asha.post("patients/", ASHA, Idempotency_Key=a_key())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_big")
    assert hits() == 2


@pytest.mark.parametrize("key", ["short", "x" * 129])
def test_a_key_that_is_none_is_refused_and_counts(key):
    asha = Program(a_user())
    answer = asha.post("notice/", Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")
    assert hits() == 1
