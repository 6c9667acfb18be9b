"""Callbacks one by one: forged, malformed, for another patient, with wrong keys, too large."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from consult.abdm import asking, crypto, holding, messages
from consult.abdm.work import CALLBACKS, forget_abdm, work_on
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord
from tests.factories import a_doctor, a_patient
from tests.fhir import records

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls")]


def a_consent(patient, role: str = "hip", **fields) -> AbdmConsent:
    now = timezone.now()
    return AbdmConsent.objects.create(
        **{
            "role": role, "patient": patient, "artefact_id": uuid.uuid4().hex, "state": "granted",
            "hi_types": list(holding.KINDS), "from_at": now - timedelta(days=400),
            "to_at": now + timedelta(days=1), "expires_at": now + timedelta(days=1), **fields,
        }
    )  # fmt: skip


def a_request(consent: AbdmConsent, keys: dict[str, str]) -> dict:
    span = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    return {
        "transactionId": uuid.uuid4().hex,
        "hiRequest": {
            "consent": {"id": consent.artefact_id}, "dateRange": span,
            "dataPushUrl": "http://127.0.0.1:9/push", "keyMaterial": crypto.key_material(keys, ""),
        },
    }  # fmt: skip


def waiting_for(consent: AbdmConsent) -> tuple[dict[str, str], str]:
    """We asked for records under this consent: our keys and the transaction."""
    keys, transaction = crypto.new_keys(), uuid.uuid4().hex
    AbdmMessage.objects.create(
        direction="out", request_id=uuid.uuid4().hex, kind="records.ask", consent=consent,
        body={"secret": crypto.lock_away(keys), "transaction": transaction}, done_at=timezone.now(),
    )  # fmt: skip
    return keys, transaction


def sealed_for(keys: dict[str, str], transaction: str, text: str) -> dict:
    theirs = crypto.new_keys()
    content = crypto.encrypt(text, ours=theirs, theirs=crypto.key_material(keys, ""))
    return {
        "transactionId": transaction, "pageNumber": 1, "pageCount": 1,
        "entries": [{"content": content, "careContextReference": "elsewhere/1"}],
        "keyMaterial": crypto.key_material(theirs, ""),
    }  # fmt: skip


BUNDLE = json.dumps({"resourceType": "Bundle", "id": "one", "type": "document"})


def test_without_credentials_there_is_nothing(settings, calls):
    settings.ABDM = settings.ABDM | {"url": ""}
    assert calls("consent/request/hip/notify", {}).status_code == 404


@pytest.mark.parametrize(
    "body", ["{", "[]", '"x"', "null", "[" * 99_999, r'{"transactionId": "\u0000"}', '{"a": 1e999}']
)
def test_malformed_json_is_400(body: str, calls):
    assert calls("consent/request/hip/notify", body).status_code == 400
    assert calls("data", body).status_code == 400


@pytest.mark.parametrize("kind", sorted(CALLBACKS))
def test_a_callback_that_lacks_everything_is_given_up_and_breaks_nothing(kind: str, calls):
    _keys, transaction = waiting_for(a_consent(a_patient(), "hiu"))
    lacks = {"transactionId": transaction} if kind == "data" else {"response": 7}
    body = {"notification": [], **lacks}
    assert calls(kind, body).status_code == 202
    (message,) = AbdmMessage.objects.filter(direction="in")
    assert not work_on(message.pk)
    message.refresh_from_db()
    assert message.error
    assert message.body == ({} if message.tries == AbdmMessage.MAX_TRIES else body)


def test_five_megabytes_of_records_are_taken_and_more_than_twelve_refused(calls):
    consent = a_consent(a_patient(), "hiu")
    keys, transaction = waiting_for(consent)
    big = json.dumps({"resourceType": "Bundle", "id": "big", "note": "x" * 3_700_000})
    sent = sealed_for(keys, transaction, big)
    assert len(json.dumps(sent)) > 4_900_000
    assert calls("data", sent).status_code == 202
    work_on(AbdmMessage.objects.get(direction="in").pk)
    assert AbdmRecord.objects.get().bundle["id"] == "big"
    assert calls("data", json.dumps({"transactionId": "x" * 12_100_000})).status_code == 413


def test_records_that_nobody_asked_for_are_not_kept(calls):
    _keys, transaction = waiting_for(a_consent(a_patient(), "hiu"))
    for unasked in (uuid.uuid4().hex, f"{transaction}1", 7, None, [transaction]):
        assert calls("data", {"transactionId": unasked}).status_code == 404
    assert not AbdmMessage.objects.filter(direction="in").exists()
    # Records may overtake the answer that names their transaction.
    AbdmMessage.objects.filter(kind="records.ask").update(body={"secret": "x"})
    answers = [calls("data", {"transactionId": uuid.uuid4().hex}).status_code for _n in range(21)]
    assert answers == [202] * 20 + [404]  # so much may wait, and no more
    AbdmMessage.objects.filter(direction="in").update(tries=AbdmMessage.MAX_TRIES)
    assert calls("data", {"transactionId": uuid.uuid4().hex}).status_code == 202


@pytest.mark.usefixtures("one_moment")
def test_an_address_that_guesses_or_floods_waits(settings, calls):
    settings.API_PER_MINUTE = settings.API_PER_MINUTE | {"address": 2}
    forged = [calls("consent/request/hip/notify", {}, token="x") for _n in range(3)]
    assert [one.status_code for one in forged] == [401, 401, 429]
    assert 0 < int(forged[-1]["Retry-After"]) <= 60
    assert calls("data", "{}").status_code == 429
    assert calls("consent/request/hip/notify", {"notification": {}}).status_code == 202


def test_records_sealed_for_other_keys_are_dropped_whole(calls):
    consent = a_consent(a_patient(), "hiu")
    _keys, transaction = waiting_for(consent)
    calls("data", sealed_for(crypto.new_keys(), transaction, BUNDLE))
    message = AbdmMessage.objects.get(direction="in")
    assert not work_on(message.pk)
    message.refresh_from_db()
    assert message.error.startswith("NotReadable")
    assert not AbdmRecord.objects.exists()


@pytest.mark.parametrize(
    "ended", [{"state": "revoked"}, {"expires_at": timezone.now() - timedelta(seconds=1)}]
)
def test_records_under_a_consent_that_has_ended_are_not_kept(ended: dict, calls):
    consent = a_consent(a_patient(), "hiu")
    keys, transaction = waiting_for(consent)
    AbdmConsent.objects.filter(pk=consent.pk).update(**ended)
    calls("data", sealed_for(keys, transaction, BUNDLE))
    work_on(AbdmMessage.objects.get(direction="in").pk)
    assert not AbdmRecord.objects.exists()
    assert AuditEvent.objects.filter(action="abdm.refused").exists()


def test_what_was_received_is_erased_when_the_consent_runs_out():
    consent = a_consent(a_patient(), "hiu")
    AbdmRecord.objects.create(consent=consent, care_context="x", bundle={})
    AbdmConsent.objects.filter(pk=consent.pk).update(expires_at=timezone.now())
    forget_abdm()
    assert not AbdmRecord.objects.exists()
    consent.refresh_from_db()
    assert consent.state == "expired"


def test_only_the_consultations_of_the_consent_and_of_its_patient_go_out(calls):
    past = records.full()
    other = records.minimal()
    uids = [str(past.uid), str(other.uid)]
    consent = a_consent(past.patient, care_contexts=uids, hi_types=["OPConsultation"])
    asker = crypto.new_keys()
    calls("hip/health-information/request", a_request(consent, asker))
    work_on(AbdmMessage.objects.get(direction="in").pk)
    pushed = AbdmMessage.objects.get(kind="push").body["body"]
    (entry,) = pushed["entries"]
    text = crypto.decrypt(entry["content"], ours=asker, theirs=pushed["keyMaterial"])
    assert json.loads(text)["id"] == f"OPConsultRecord-{past.uid}"


def test_a_request_before_its_consent_waits_for_it(calls):
    past = records.full()
    consent = a_consent(past.patient, care_contexts=[str(past.uid)])
    asked = a_request(consent, crypto.new_keys())
    AbdmConsent.objects.filter(pk=consent.pk).update(artefact_id="")
    calls("hip/health-information/request", asked)
    message = AbdmMessage.objects.get(direction="in")
    assert not work_on(message.pk)
    AbdmConsent.objects.filter(pk=consent.pk).update(artefact_id=consent.artefact_id)
    AbdmMessage.objects.filter(pk=message.pk).update(due_at=timezone.now())
    assert work_on(message.pk)
    assert AbdmMessage.objects.filter(kind="push").exists()


@pytest.mark.parametrize(
    ("whose", "state"), [("asha@sbx", "granted"), ("somebody@sbx", "requested")]
)
def test_an_artefact_counts_for_the_patient_asked_about_and_no_other(calls, whose, state):
    asha = a_patient(abha_number="91100000000008", abha_address="asha@sbx",
                     abha_verified_at=timezone.now())  # fmt: skip
    consent = asking.ask_consent(patient=asha, doctor=a_doctor(), since=timezone.now())
    fetch = messages.send("consent.fetch", "/x", {}, consent=consent, patient=asha)
    span = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    detail = {
        "consentId": "a", "patient": {"id": whose}, "hiTypes": ["Prescription"],
        "permission": {"dateRange": span, "dataEraseAt": span["to"]},
    }  # fmt: skip
    body = {
        "response": {"requestId": fetch.request_id},
        "consent": {"status": "GRANTED", "consentDetail": detail},
    }
    calls("hiu/consent/on-fetch", body)
    is_theirs = state == "granted"
    assert work_on(AbdmMessage.objects.get(direction="in").pk) is is_theirs
    consent.refresh_from_db()
    assert consent.state == state
    assert AbdmMessage.objects.filter(kind="records.ask").exists() is is_theirs
