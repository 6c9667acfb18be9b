"""Each callback, right but for one place: done, or given up with a reason; never an error of ours."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Patient
from accounts.seeding import seed
from consult.abdm import asking, crypto, linking, messages
from consult.abdm.work import CALLBACKS, work_on
from consult.models import AbdmConsent, AbdmMessage, CareContext, Consultation
from tests.abdm.test_callbacks import BUNDLE, a_consent, a_request, sealed_for, waiting_for
from tests.abdm.test_trouble import notice
from tests.factories import a_doctor
from tests.fhir import records

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls")]
ODD = [[[]], 7, "9" * 5000]
Json = dict[str, Any]


def answers(kind: str, patient: Patient, **more: Any) -> Json:
    """To what we have asked."""
    asked = messages.send(kind, "/x", {}, patient=patient, **more)
    messages.done(asked)
    return {"response": {"requestId": asked.request_id}}


def of_the_holder(past: Consultation) -> Iterator[tuple[str, Json]]:
    """What calls on us as who holds the records."""
    patient, centre = past.patient, records.a_centre(hfr_id="IN3210000099")
    CareContext.objects.create(consultation=past)
    yield "hip/token/on-generate-token", {"linkToken": "t", **answers("link.token", patient)}
    contexts = answers("link.contexts", patient, secret="[]")
    yield "link/on_carecontext", {"status": "SUCCESS", **contexts}
    lives = {"line": "12", "district": "Ernakulam", "state": "Kerala", "pincode": "682001"}
    shared = {
        "abhaAddress": "ravi@sbx", "abhaNumber": "91-1000-0000-0008", "name": "Ravi", "gender": "M",
        "yearOfBirth": "1980", "monthOfBirth": "2", "dayOfBirth": "3", "phoneNumber": "9812345678",
        "address": lives,
    }  # fmt: skip
    place = {"hipId": centre.hfr_id, "context": "1"}
    yield (
        "hip/patient/share",
        {"intent": "PROFILE_SHARE", "metaData": place, "profile": {"patient": shared}},
    )
    known = [("MOBILE", patient.account.phone), ("ABHA_NUMBER", "91-1000-0000-0008")]
    about = {
        "id": patient.abha_address, "name": "Asha", "gender": "F", "yearOfBirth": 1991,
        "verifiedIdentifiers": [{"type": kind, "value": value} for kind, value in known],
    }  # fmt: skip
    yield "hip/patient/care-context/discover", {"transactionId": "t", "patient": about}
    linking.on_discover({"transactionId": "chosen", "patient": about}, "x")
    chosen = [{"referenceNumber": str(past.uid)}]
    patients = [{"referenceNumber": patient.number, "careContexts": chosen}]
    yield "hip/link/care-context/init", {"transactionId": "chosen", "patient": patients}
    said = {"token": "1", "linkRefNumber": str(patient.uid)}
    yield "hip/link/care-context/confirm", {"confirmation": said}
    yield "consent/request/hip/notify", notice(patient, "artefact", "GRANTED")
    consent = a_consent(patient, care_contexts=[str(past.uid)])
    yield "hip/health-information/request", a_request(consent, crypto.new_keys())


def of_the_asker(past: Consultation) -> Iterator[tuple[str, Json]]:
    """What calls on us as who asked for records."""
    patient, now = past.patient, timezone.now()
    asked = asking.ask_consent(patient=patient, doctor=a_doctor(), since=now)
    AbdmConsent.objects.filter(pk=asked.pk).update(request_id="asked")
    init = answers("consent.ask", patient, consent=asked)
    yield "hiu/consent/request/on-init", {"consentRequest": {"id": "r"}, **init}
    for status in ("GRANTED", "REVOKED"):
        notified = {
            "consentRequestId": "asked",
            "status": status,
            "consentArtefacts": [{"id": "a"}],
        }
        yield "hiu/consent/request/notify", {"notification": notified}
    span = {"from": "2024-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    detail = {
        "consentId": "new", "patient": {"id": patient.abha_address}, "hiTypes": ["Prescription"],
        "permission": {"dateRange": span, "dataEraseAt": str(now + timedelta(days=3))},
    }  # fmt: skip
    artefact = {"status": "GRANTED", "consentDetail": detail}
    fetched = answers("consent.fetch", patient, consent=asked)
    yield "hiu/consent/on-fetch", {"consent": artefact, **fetched}
    sought = answers("records.ask", patient, consent=asked, secret="s")
    known = {"hiRequest": {"transactionId": "t"}, **sought}
    yield "hiu/health-information/on-request", known
    yield "data", sealed_for(*waiting_for(a_consent(patient, "hiu")), BUNDLE)


def spoiled(part: Any) -> Iterator[Any]:
    """The same with another thing in one place, for each place in it."""
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    for name, right in list(inner):
        deeper = spoiled(right) if isinstance(right, (dict, list)) else ()
        for odd in [*ODD, *deeper]:
            copy = deepcopy(part)
            copy[name] = odd
            yield copy


def outcome(kind: str, body: Json) -> tuple[bool, str]:
    """Whether it was done, and the reason if not. Nothing of it stays."""
    with transaction.atomic():
        message = AbdmMessage.objects.create(direction="in", request_id="x", kind=kind, body=body)
        is_done = work_on(message.pk)
        message.refresh_from_db()
        transaction.set_rollback(True)
    return is_done, message.error


def test_whatever_one_place_holds_a_callback_is_done_or_given_up_with_its_reason():
    seed()
    past = records.full()
    bodies = [*of_the_holder(past), *of_the_asker(past)]
    assert {kind for kind, _body in bodies} == CALLBACKS.keys()
    for kind, body in bodies:
        assert outcome(kind, body) == (True, ""), kind
        for other in spoiled(body):
            is_done, why = outcome(kind, other)
            assert is_done or why.startswith(("Malformed", "NotReadable", "NotYet")), (kind, other)
