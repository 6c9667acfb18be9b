"""A gateway that is slow, down, says no or says everything twice; consents that ended before their use."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from consult.abdm import crypto, gateway, messages
from consult.abdm.work import work_on
from consult.models import AbdmConsent, AbdmMessage
from tests.abdm.test_callbacks import a_consent, a_request
from tests.fhir import records

pytestmark = pytest.mark.django_db
NOTIFY = "consent/request/hip/notify"


def sent() -> AbdmMessage:
    return messages.send("test", "/api/hiecm/anything", {"a": 1})


def again(message: AbdmMessage) -> AbdmMessage:
    """Its pause is over."""
    AbdmMessage.objects.filter(pk=message.pk).update(due_at=timezone.now())
    work_on(message.pk)
    message.refresh_from_db()
    return message


def test_a_gateway_that_is_slow_is_asked_again_and_is_told_once(calls, monkeypatch):
    calls.gateway.slow = 2
    with monkeypatch.context() as impatient:
        impatient.setattr(gateway, "TIMEOUT", 0.3)
        message = again(sent())
    assert (message.done_at, message.error.partition(" ")[0]) == (None, "GatewayAway:")
    calls.gateway.slow = 0
    assert again(message).done_at
    ids = {request_id for _path, request_id in calls.gateway.ids if _path.endswith("/anything")}
    assert ids == {message.request_id}  # by which the gateway knows it again


@pytest.mark.usefixtures("one_moment")
def test_a_gateway_that_is_down_is_asked_at_longer_pauses_and_given_up_in_the_end(calls):
    calls.gateway.away = 100
    message = sent()
    tries = range(AbdmMessage.MAX_TRIES)
    pauses = [(again(message).due_at - timezone.now()).total_seconds() for _try in tries]
    assert pauses == sorted(pauses)
    assert (pauses[0] < 3, pauses[-1] > 3600) == (True, True)
    calls.gateway.away = 0
    assert again(message).done_at is None
    assert message.body == {}


def test_what_the_gateway_refuses_is_not_said_again(calls):
    calls.gateway.refuses = True
    message = again(sent())
    calls.gateway.refuses = False
    assert (message.tries, again(message).done_at) == (AbdmMessage.MAX_TRIES, None)


def test_a_session_that_was_ended_is_opened_anew(calls):
    again(sent())
    calls.gateway.session = "another"
    message = again(sent())
    assert message.done_at is None
    assert again(message).done_at


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        ({"state": "revoked"}, "ABDM-1062"),
        ({"state": "denied"}, "ABDM-1062"),
        ({"state": "expired"}, "ABDM-1061"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "ABDM-1061"),
    ],
)
def test_under_a_consent_that_has_ended_nothing_goes_out(calls, ended, code):
    past = records.full()
    consent = a_consent(past.patient, care_contexts=[str(past.uid)], **ended)
    asked = a_request(consent, crypto.new_keys())
    answer = calls.worked("hip/health-information/request", asked, "on-request")
    assert answer["error"]["code"] == code
    assert not AbdmMessage.objects.filter(kind="push").exists()
    assert AuditEvent.objects.filter(action="abdm.refused").count() == 1


def notice(patient, artefact: str, status: str) -> dict:
    now = timezone.now()
    permission = {
        "dateRange": {"from": (now - timedelta(days=9)).isoformat(), "to": now.isoformat()},
        "dataEraseAt": (now + timedelta(days=1)).isoformat(),
    }
    detail = {
        "patient": {"id": patient.abha_address}, "hiTypes": ["Prescription"], "careContexts": [],
        "permission": permission, "requester": {"name": "City hospital"}, "purpose": {"text": "Care"},
    }  # fmt: skip
    return {"notification": {"consentId": artefact, "status": status, "consentDetail": detail}}


def test_a_consent_told_twice_is_one_and_a_late_yes_does_not_undo_a_withdrawal(calls):
    patient = records.full().patient
    for status in ("GRANTED", "GRANTED", "REVOKED", "GRANTED", "EXPIRED"):
        calls.worked(NOTIFY, notice(patient, "artefact", status), "on-consent")
    consent = AbdmConsent.objects.get()
    assert (consent.requester, consent.purpose) == ("City hospital", "Care")
    assert not consent.is_in_force


def test_a_consent_that_names_what_is_none_of_ours_gives_what_is(calls):
    past = records.full()
    told = notice(past.patient, "artefact", "GRANTED")
    named = [str(past.uid), "VISIT-7", "0" * 500, str(uuid.uuid4())]
    told["notification"]["consentDetail"] |= {
        "careContexts": [{"careContextReference": one} for one in named],
        "hiTypes": ["OPConsultation"],
    }
    told["notification"]["consentDetail"]["permission"]["dateRange"]["to"] = "2100-01-01T00:00:00Z"
    calls.worked(NOTIFY, told, "on-consent")
    asked = a_request(AbdmConsent.objects.get(), crypto.new_keys())
    calls.worked("hip/health-information/request", asked, "on-request")
    pushed = AbdmMessage.objects.get(kind="push").body["body"]
    assert [one["careContextReference"] for one in pushed["entries"]] == [str(past.uid)]


def test_a_replayed_callback_with_other_words_is_not_done(calls):
    patient, request_id = records.full().patient, str(uuid.uuid4())
    calls.worked(NOTIFY, notice(patient, "first", "GRANTED"), "on-consent", request_id)
    assert (
        calls(NOTIFY, notice(patient, "second", "GRANTED"), request_id=request_id).status_code
        == 202
    )
    assert [one.artefact_id for one in AbdmConsent.objects.all()] == ["first"]


def test_a_consent_of_somebody_who_is_not_ours_is_given_up(calls):
    patient = records.full().patient
    type(patient).objects.update(abha_verified_at=None)
    assert calls(NOTIFY, notice(patient, "x", "GRANTED")).status_code == 202
    message = AbdmMessage.objects.get(direction="in")
    assert not work_on(message.pk)
    assert not AbdmConsent.objects.exists()
