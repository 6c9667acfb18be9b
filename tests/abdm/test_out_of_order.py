"""What overtakes what it speaks of, comes too late, or is given up: nothing counts that has ended."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consult.abdm import asking, crypto, holding, messages
from consult.abdm.work import work_on
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord, Consultation
from tests.abdm.test_callbacks import a_request
from tests.abdm.test_trouble import NOTIFY, again, notice
from tests.factories import a_doctor
from tests.fhir import records

pytestmark = pytest.mark.django_db
DECISION, ARTEFACT = "hiu/consent/request/notify", "hiu/consent/on-fetch"


@pytest.fixture
def past() -> Consultation:
    return records.full()


@pytest.fixture
def asked(past, calls) -> AbdmConsent:
    """Of Asha, whose app has been told of it as "asked"."""
    consent = asking.ask_consent(patient=past.patient, doctor=a_doctor(), since=timezone.now())
    AbdmConsent.objects.filter(pk=consent.pk).update(request_id="asked")
    return consent


def decided(status: str, *artefacts: str, request: str = "asked") -> dict[str, Any]:
    ids = [{"id": one} for one in artefacts]
    said = {"consentRequestId": request, "status": status, "consentArtefacts": ids}
    return {"notification": said}


def fetched(consent: AbdmConsent, artefact: str, **more: Any) -> dict[str, Any]:
    """The answer to our fetching it."""
    asked = messages.send("consent.fetch", "/x", {}, consent=consent, patient=consent.patient)
    detail = notice(consent.patient, artefact, "GRANTED")["notification"]["consentDetail"]
    detail = {**detail, "consentId": artefact, "permission": {**detail["permission"], **more}}
    return {
        "consent": {"status": "GRANTED", "consentDetail": detail},
        "response": {"requestId": asked.request_id},
    }


def worked(calls, kind: str, body: dict[str, Any]) -> bool:
    assert calls(kind, body).status_code == 202
    return work_on(AbdmMessage.objects.filter(direction="in").latest("pk").pk)


def states() -> dict[str, str]:
    return dict(AbdmConsent.objects.values_list("artefact_id", "state"))


def test_a_withdrawal_that_overtakes_its_consent_counts_from_the_first_moment(calls, past):
    patient = past.patient
    assert not worked(calls, NOTIFY, notice(patient, "artefact", "REVOKED"))
    waits = AbdmMessage.objects.get(direction="in")
    calls.worked(NOTIFY, notice(patient, "artefact", "GRANTED"), "on-consent")
    calls.worked(NOTIFY, notice(patient, "other", "GRANTED"), "on-consent")
    assert states() == {"artefact": "revoked", "other": "granted"}
    request = a_request(AbdmConsent.objects.get(artefact_id="artefact"), crypto.new_keys())
    answer = calls.worked("hip/health-information/request", request, "on-request")
    assert answer["error"]["code"] == "ABDM-1062"
    assert again(waits).done_at
    calls.worked(NOTIFY, notice(patient, "artefact", "EXPIRED"), "on-consent")
    assert states()["artefact"] == "revoked"


def given_up(message: AbdmMessage) -> dict[str, Any]:
    """What stays of it, when it was tried as often as it is."""
    while message.tries < AbdmMessage.MAX_TRIES:
        assert not again(message).done_at
    return message.body


def test_a_withdrawal_is_remembered_until_its_consent_comes_however_late(calls, past):
    patient = past.patient
    assert not worked(calls, NOTIFY, notice(patient, "artefact", "REVOKED"))
    withdrawal = AbdmMessage.objects.get(direction="in")
    notification = {"consentId": "artefact", "status": "REVOKED", "consentArtefacts": []}
    assert given_up(withdrawal) == {"notification": notification}
    assert messages.due() == []  # and costs nothing meanwhile
    calls.worked(NOTIFY, notice(patient, "artefact", "GRANTED"), "on-consent")
    assert states() == {"artefact": "revoked"}
    assert withdrawal.pk in messages.due()
    assert again(withdrawal).done_at
    assert withdrawal.body == {}


def test_the_end_of_what_we_asked_for_is_remembered_until_the_question_has_its_id(calls, past):
    asked = asking.ask_consent(patient=past.patient, doctor=a_doctor(), since=timezone.now())
    assert not worked(calls, DECISION, decided("REVOKED", "first", request="late"))
    withdrawal = AbdmMessage.objects.get(direction="in")
    given_up(withdrawal)
    answered = AbdmMessage.objects.get(kind="consent.ask").request_id
    said = {"consentRequest": {"id": "late"}, "response": {"requestId": answered}}
    assert worked(calls, "hiu/consent/request/on-init", said)
    asked.refresh_from_db()
    assert worked(calls, ARTEFACT, fetched(asked, "first"))  # before the withdrawal is tried again
    assert worked(calls, ARTEFACT, fetched(asked, "second"))
    assert states() == {"first": "revoked", "second": "granted"}
    assert again(withdrawal).done_at
    assert states() == {"first": "revoked", "second": "granted"}


def test_what_is_withdrawn_before_it_was_fetched_is_not_asked_for(calls, asked):
    assert worked(calls, ARTEFACT, fetched(asked, "first"))
    assert worked(calls, DECISION, decided("REVOKED", "first", "second"))
    assert worked(calls, ARTEFACT, fetched(asked, "second"))
    assert worked(calls, ARTEFACT, fetched(asked, "third"))
    assert states() == {"first": "revoked", "second": "revoked", "third": "granted"}
    named = AbdmMessage.objects.filter(kind="records.ask").values_list("consent__artefact_id")
    assert [one for (one,) in named] == ["first", "third"]


def test_a_withdrawal_of_what_is_known_needs_no_request_and_another_waits(calls, asked):
    worked(calls, ARTEFACT, fetched(asked, "artefact"))
    assert not worked(calls, DECISION, decided("REVOKED", "unknown", request="unknown"))
    assert worked(calls, DECISION, decided("REVOKED", "artefact", request="unknown"))
    assert states() == {"artefact": "revoked"}


def test_a_question_that_nobody_answered_in_time_has_run_out(calls, asked):
    assert worked(calls, DECISION, decided("EXPIRED"))
    assert states() == {"": "expired"}


def test_a_consent_that_comes_after_its_end_asks_for_nothing(calls, asked):
    ended = (timezone.now() - timedelta(minutes=1)).isoformat()
    assert worked(calls, ARTEFACT, fetched(asked, "late", dataEraseAt=ended))
    assert not AbdmMessage.objects.filter(kind="records.ask").exists()
    assert not AbdmRecord.objects.exists()


def test_a_question_that_the_gateway_does_not_take_is_not_open_for_ever(calls, asked):
    calls.gateway.refuses = True
    again(AbdmMessage.objects.get(kind="consent.ask"))
    calls.gateway.refuses = False
    asked.refresh_from_db()
    assert asked.state == "denied"


def is_on_its_way(consultation: Consultation) -> bool:
    return hasattr(Consultation.objects.get(pk=consultation.pk), "care_context")


def wished(consultation: Consultation) -> AbdmMessage:
    """By the patient: our request for the permission to link it."""
    holding.link(consultation=consultation, by=consultation.patient.account)
    assert is_on_its_way(consultation)
    return AbdmMessage.objects.filter(kind="link.token").latest("pk")


def test_who_could_not_be_linked_may_wish_it_again(calls, past):
    calls.gateway.refuses = True
    again(wished(past))
    calls.gateway.refuses = False
    assert not is_on_its_way(past)

    def answered(asked: AbdmMessage, kind: str, **said: Any) -> None:
        messages.done(asked)
        assert worked(calls, kind, {**said, "response": {"requestId": asked.request_id}})

    refused = {"error": {"code": "ABDM-1006"}}
    answered(wished(past), "hip/token/on-generate-token", **refused)
    assert not is_on_its_way(past)
    answered(wished(past), "hip/token/on-generate-token", linkToken="t")
    answered(AbdmMessage.objects.get(kind="link.contexts"), "link/on_carecontext", **refused)
    assert not is_on_its_way(past)
