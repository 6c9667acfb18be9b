"""M2: we hold records (HIP). Link, take note of a consent, hand over encrypted."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.actions import record
from accounts.models import Patient, User
from consult.abdm import crypto
from consult.abdm.ended import has_ended, wake
from consult.abdm.linking import of_patient
from consult.abdm.messages import PUSH, Malformed, NotYet, at, id_at, rows_at, send, text_at
from consult.fhir.documents import OP_CONSULT, PRESCRIPTION, WELLNESS, document, kinds_of
from consult.fhir.records import records_of, with_all
from consult.models import AbdmConsent, AbdmMessage, CareContext, Consultation

HIP = AbdmConsent.Role.HIP
State = AbdmConsent.State
KINDS = {"OPConsultation": OP_CONSULT, "Prescription": PRESCRIPTION, "WellnessRecord": WELLNESS}


class NotVerified(Exception):
    """The ABHA of this patient has not been verified by the gateway."""


@transaction.atomic
def link(*, consultation: Consultation, by: User) -> CareContext:
    """Offer a completed consultation to the patient's ABHA. Raises NotVerified; ValueError before the end."""
    patient = consultation.patient
    if not patient.abha_is_verified or not patient.abha_address:
        raise NotVerified
    if consultation.state != Consultation.State.COMPLETED:
        raise ValueError("Only what is completed is linked.")
    context, made = CareContext.objects.get_or_create(consultation=consultation)
    if made:
        send(
            "link.token", "/api/hiecm/v3/token/generate-token",
            {
                "abhaNumber": patient.abha_number,
                "abhaAddress": patient.abha_address,
                "name": patient.name,
                "gender": _letter(patient),
                "yearOfBirth": patient.birth_date.year,
            },
            patient=patient,
        )  # fmt: skip
        record("abdm.link", consultation, by=by, patient=patient)
    return context


def _letter(patient: Patient) -> str:
    return {"male": "M", "female": "F"}.get(patient.sex, "O")


def on_link_token(body: dict[str, Any]) -> None:
    """The permission to link has come: everything of this patient that is not linked goes."""
    asked = _asked(body, "link.token")
    if body.get("error"):
        not_linked(asked)
        return
    token, patient = text_at(body, "linkToken"), asked.patient
    unlinked = CareContext.objects.filter(linked_at=None, consultation__patient=patient)
    rows = [one.consultation for one in unlinked.select_related("consultation__clinic")]
    if patient is None or not rows:
        return
    send(
        "link.contexts", "/api/hiecm/hip/v3/link/carecontext",
        {
            "abhaNumber": patient.abha_number,
            "abhaAddress": patient.abha_address,
            "patient": [of_patient(patient, rows)],
        },
        patient=patient, link_token=token, secret=json.dumps([str(one.uid) for one in rows]),
    )  # fmt: skip


def on_linked(body: dict[str, Any]) -> None:
    asked = _asked(body, "link.contexts")
    if body.get("error"):
        not_linked(asked)
        return
    uids = json.loads(asked.body["secret"])
    rows = CareContext.objects.filter(consultation__uid__in=uids, linked_at=None)
    rows.update(linked_at=timezone.now())


def not_linked(asked: AbdmMessage) -> None:
    """Refused, or given up: the patient may wish it once more."""
    unlinked = CareContext.objects.filter(linked_at=None, consultation__patient=asked.patient)
    if asked.kind == "link.contexts":
        unlinked = unlinked.filter(consultation__uid__in=json.loads(asked.body["secret"]))
    unlinked.delete()


def _asked(body: dict[str, Any], kind: str) -> AbdmMessage:
    """What of ours this answers. Raises NotYet when it overtook the end of our sending."""
    request_id = text_at(body, "response.requestId")
    asked = AbdmMessage.objects.filter(request_id=request_id, kind=kind, direction="out").first()
    if asked is None:
        raise Malformed("response.requestId")
    if asked.done_at is None:
        raise NotYet
    return asked


def on_consent(body: dict[str, Any], request_id: str) -> None:
    """A consent was granted, withdrawn or has run out: what is handed over follows it."""
    notice = at(body, "notification")
    artefact, status = id_at(notice, "consentId"), text_at(notice, "status").upper()
    known = AbdmConsent.objects.select_for_update().filter(role=HIP, artefact_id=artefact).first()
    if status == "GRANTED" and known is None:
        _keep_consent(artefact, at(notice, "consentDetail"))
    elif status != "GRANTED":
        if known is None:
            raise NotYet
        _end(known, status)
    send("on-consent", "/api/hiecm/consent/v3/request/hip/on-notify",
         {"acknowledgement": [{"status": "OK", "consentId": artefact}],
          "response": {"requestId": request_id}})  # fmt: skip


def _end(consent: AbdmConsent, status: str) -> None:
    """Once withdrawn, always: a "granted" that comes late changes nothing."""
    if consent.state != State.REVOKED:
        consent.state = State.EXPIRED if status == "EXPIRED" else State.REVOKED
        consent.save(update_fields=["state"])
    record("abdm.consent_ended", consent, by=None, patient=consent.patient)


def _keep_consent(artefact: str, detail: dict[str, Any]) -> None:
    """Where its end has overtaken it, nothing ever goes out under it."""
    address = text_at(detail, "patient.id")
    patient = Patient.objects.filter(
        abha_address__iexact=address, abha_verified_at__isnull=False
    ).first()
    if patient is None:
        raise Malformed("consentDetail.patient.id")
    named = [text_at(one, "careContextReference") for one in rows_at(detail, "careContexts")]
    consent = AbdmConsent.objects.create(
        role=HIP,
        patient=patient,
        artefact_id=artefact,
        state=State.REVOKED if has_ended(artefact) else State.GRANTED,
        requester=_words(detail, "requester.name") or _words(detail, "hiu.name"),
        purpose=_words(detail, "purpose.text"),
        hi_types=[kind for kind in KINDS if kind in rows_at(detail, "hiTypes")],
        care_contexts=[one for one in named if _is_ours(one)],
        from_at=moment(detail, "permission.dateRange.from"),
        to_at=moment(detail, "permission.dateRange.to"),
        expires_at=moment(detail, "permission.dataEraseAt"),
    )
    wake(artefact=artefact)
    record("abdm.consent", consent, by=None, patient=patient)


def _is_ours(reference: str) -> bool:
    """Whether it can be one of our care contexts at all: each is a consultation's id."""
    try:
        return str(UUID(reference)) == reference.lower()
    except ValueError:
        return False


def _words(detail: dict[str, Any], path: str) -> str:
    """Who asks and why, as the patient is shown it; "" where the artefact does not say."""
    try:
        return text_at(detail, path)[:120]
    except Malformed:
        return ""


def moment(body: dict[str, Any], path: str) -> datetime:
    """Raises Malformed."""
    try:
        parsed = parse_datetime(text_at(body, path))
    except ValueError:
        parsed = None
    if parsed is None:
        raise Malformed(path)
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)


def on_request(body: dict[str, Any], request_id: str) -> None:
    """Records are asked for: encrypted for the asker and pushed, if the consent is in force.

    Raises NotYet while the consent has not come; the answer to a wrong one is an error, and audited.
    """
    transaction_id = text_at(body, "transactionId")
    artefact = text_at(body, "hiRequest.consent.id")
    consent = AbdmConsent.objects.filter(role=HIP, artefact_id=artefact).first()
    if consent is None:
        raise NotYet
    theirs, url = at(body, "hiRequest.keyMaterial"), text_at(body, "hiRequest.dataPushUrl")
    answer: dict[str, Any] = {"response": {"requestId": request_id}}
    path = "/api/hiecm/data-flow/v3/health-information/hip/on-request"
    if not consent.is_in_force:
        granted = consent.state == State.GRANTED
        words = (
            {"code": "ABDM-1061", "message": "Consent artefact expired"}
            if granted or consent.state == State.EXPIRED
            else {"code": "ABDM-1062", "message": "Consent Not granted"}
        )
        send("on-request", path, {**answer, "error": words}, consent=consent)
        record("abdm.refused", consent, by=None, patient=consent.patient)
        return
    acknowledged = {"transactionId": transaction_id, "sessionStatus": "ACKNOWLEDGED"}
    entries, keys = _sealed(consent, body, theirs)
    send("on-request", path, {**answer, "hiRequest": acknowledged}, consent=consent)
    expires = (timezone.now() + timedelta(hours=1)).isoformat()
    send(
        PUSH, url,
        {
            "pageNumber": 1,
            "pageCount": 1,
            "transactionId": transaction_id,
            "entries": entries,
            "keyMaterial": crypto.key_material(keys, expires),
        },
        consent=consent, patient=consent.patient,
    )  # fmt: skip
    record("abdm.transfer", consent, by=None, patient=consent.patient)
    _tell_transferred(consent, transaction_id, entries)


def _sealed(
    consent: AbdmConsent, body: dict[str, Any], theirs: dict[str, Any]
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Every document of the consent's consultations and kinds, within its dates and the request's."""
    start = max(consent.from_at, moment(body, "hiRequest.dateRange.from"))
    end = min(consent.to_at, moment(body, "hiRequest.dateRange.to"))
    rows = with_all().filter(
        patient=consent.patient, uid__in=consent.care_contexts,
        state=Consultation.State.COMPLETED, ended_at__gte=start, ended_at__lte=end,
    )  # fmt: skip
    keys = crypto.new_keys()
    wanted = {KINDS[kind] for kind in consent.hi_types}
    entries = []
    for there in records_of(list(rows)):
        for kind in [one for one in kinds_of(there) if one in wanted]:
            text = json.dumps(document(there, kind), ensure_ascii=False)
            entries.append(
                {
                    "content": crypto.encrypt(text, ours=keys, theirs=theirs),
                    "media": "application/fhir+json",
                    "checksum": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
                    "careContextReference": str(there.consultation.uid),
                }
            )
    return entries, keys


def _tell_transferred(
    consent: AbdmConsent, transaction_id: str, entries: list[dict[str, str]]
) -> None:
    sent = [
        {"careContextReference": uid, "hiStatus": "DELIVERED", "description": ""}
        for uid in sorted({entry["careContextReference"] for entry in entries})
    ]
    notification = {
        "consentId": consent.artefact_id,
        "transactionId": transaction_id,
        "doneAt": timezone.now().isoformat(),
        "notifier": {"type": "HIP"},
        "statusNotification": {"sessionStatus": "TRANSFERRED", "statusResponses": sent},
    }
    send("transferred", "/api/hiecm/data-flow/v3/health-information/notify",
         {"notification": notification}, consent=consent)  # fmt: skip
