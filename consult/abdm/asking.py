"""M3: we ask for records (HIU). A consent is asked for, records are fetched, decrypted and shown."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import Doctor, Patient
from consult.abdm import crypto
from consult.abdm.holding import KINDS, moment
from consult.abdm.messages import Malformed, NotYet, at, rows_at, send, text_at
from consult.broadcast import elsewhere_changed
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord
from esanjeevani.strict_json import read_json

HIU = AbdmConsent.Role.HIU
State = AbdmConsent.State
LASTS = timedelta(days=1)
KEYS_LAST = timedelta(hours=1)


class NoAddress(Exception):
    """The patient has no verified ABHA address to ask at."""


@transaction.atomic
def ask_consent(*, patient: Patient, doctor: Doctor, since: datetime) -> AbdmConsent:
    """Ask the patient, through the gateway, for their records elsewhere. Raises NoAddress."""
    if not patient.abha_is_verified or not patient.abha_address:
        raise NoAddress
    now = timezone.now()
    consent = AbdmConsent.objects.create(
        role=HIU,
        patient=patient,
        hi_types=list(KINDS),
        from_at=since,
        to_at=now,
        expires_at=now + LASTS,
        requested_by=doctor.user,
    )
    send("consent.ask", "/api/hiecm/consent/v3/request/init",
         {"consent": _consent(consent, doctor)}, consent=consent, patient=patient)  # fmt: skip
    record("abdm.ask", consent, by=doctor.user, patient=patient)
    return consent


def _consent(consent: AbdmConsent, doctor: Doctor) -> dict[str, Any]:
    return {
        "purpose": {"text": "Care Management", "code": "CAREMGT"},
        "patient": {"id": consent.patient.abha_address},
        "hiu": {"id": settings.ABDM["hip_id"]},
        "requester": {
            "name": doctor.user.name,
            "identifier": {
                "type": "REGNO",
                "value": doctor.registration_number,
                "system": doctor.council,
            },
        },
        "hiTypes": consent.hi_types,
        "permission": {
            "accessMode": "VIEW",
            "dateRange": {
                "from": consent.from_at.isoformat(),
                "to": consent.to_at.isoformat(),
            },
            "dataEraseAt": consent.expires_at.isoformat(),
            "frequency": {"unit": "HOUR", "value": 1, "repeats": 0},
        },
    }


def on_asked(body: dict[str, Any]) -> None:
    consent = _consent_of(body, "consent.ask")
    if body.get("error"):
        _end(consent, State.DENIED)
        return
    request_id = text_at(body, "consentRequest.id")
    AbdmConsent.objects.filter(pk=consent.pk).update(request_id=request_id)


def _consent_of(body: dict[str, Any], kind: str) -> AbdmConsent:
    """Of our message that this answers. Raises NotYet, Malformed."""
    asked = AbdmMessage.objects.filter(
        request_id=text_at(body, "response.requestId"), kind=kind, direction="out"
    ).first()
    if asked is None or asked.consent is None:
        raise Malformed("response.requestId")
    return asked.consent


def on_decision(body: dict[str, Any], request_id: str) -> None:
    """The patient has decided: granted artefacts are fetched; a withdrawal takes the records away."""
    notice = at(body, "notification")
    status = text_at(notice, "status").upper()
    ids = [text_at(one, "id") for one in notice.get("consentArtefacts") or []]
    _follow(notice, status, ids)
    send("on-decision", "/api/hiecm/consent/v3/request/hiu/on-notify",
         {"acknowledgement": [{"status": "OK", "consentId": one} for one in ids],
          "response": {"requestId": request_id}})  # fmt: skip


def _follow(notice: dict[str, Any], status: str, ids: list[str]) -> None:
    if status in ("REVOKED", "EXPIRED"):
        for consent in AbdmConsent.objects.filter(role=HIU, artefact_id__in=ids):
            _end(consent, State.REVOKED if status == "REVOKED" else State.EXPIRED)
        return
    rows = AbdmConsent.objects.select_for_update().filter(
        role=HIU, request_id=text_at(notice, "consentRequestId")
    )
    asked = rows.order_by("pk").first()
    if asked is None:
        raise NotYet
    if status != "GRANTED":
        _end(asked, State.DENIED)
        return
    for artefact in ids:
        send("consent.fetch", "/api/hiecm/consent/v3/fetch", {"consentId": artefact},
             consent=asked, patient=asked.patient)  # fmt: skip


@transaction.atomic
def _end(consent: AbdmConsent, state: str) -> None:
    """What was given under it is no longer ours to keep."""
    AbdmConsent.objects.filter(pk=consent.pk).exclude(state=State.REVOKED).update(state=state)
    AbdmRecord.objects.filter(consent=consent).delete()
    elsewhere_changed(consent.patient_id)
    record("abdm.consent_ended", consent, by=None, patient=consent.patient)


def on_artefact(body: dict[str, Any]) -> None:
    """The artefact itself. It must be for the patient whom we asked about; then records are asked for."""
    asked = _consent_of(body, "consent.fetch")
    detail = at(body, "consent.consentDetail")
    artefact = text_at(detail, "consentId")
    if text_at(detail, "patient.id").lower() != asked.patient.abha_address.lower():
        record("abdm.refused", asked, by=None, patient=asked.patient)
        raise Malformed("consentDetail.patient.id")
    if text_at(body, "consent.status").upper() != "GRANTED":
        return
    if AbdmConsent.objects.filter(role=HIU, artefact_id=artefact).exists():
        return
    consent = asked
    if asked.artefact_id:  # records of one person in several places: an artefact for each
        consent = AbdmConsent.objects.get(pk=asked.pk)
        consent.pk, consent.uid = None, AbdmConsent._meta.get_field("uid").get_default()
    consent.artefact_id, consent.state = artefact, State.GRANTED
    consent.expires_at = min(consent.expires_at, moment(detail, "permission.dataEraseAt"))
    # The patient may have given less than was asked for.
    consent.from_at = moment(detail, "permission.dateRange.from")
    consent.to_at = moment(detail, "permission.dateRange.to")
    consent.hi_types = [kind for kind in rows_at(detail, "hiTypes") if isinstance(kind, str)]
    consent.save()
    elsewhere_changed(consent.patient_id)
    _ask_records(consent)


def _ask_records(consent: AbdmConsent) -> None:
    keys = crypto.new_keys()
    expires = (timezone.now() + KEYS_LAST).isoformat()
    send(
        "records.ask", "/api/hiecm/data-flow/v3/health-information/request",
        {
            "hiRequest": {
                "consent": {"id": consent.artefact_id},
                "dateRange": {
                    "from": consent.from_at.isoformat(),
                    "to": consent.to_at.isoformat(),
                },
                "dataPushUrl": f"{settings.SITE_URL}/abdm/data",
                "keyMaterial": crypto.key_material(keys, expires),
            }
        },
        consent=consent, patient=consent.patient, secret=crypto.lock_away(keys),
    )  # fmt: skip


def on_records_asked(body: dict[str, Any]) -> None:
    """The transaction's id: what is pushed under it is ours to read."""
    asked = AbdmMessage.objects.filter(
        request_id=text_at(body, "response.requestId"), kind="records.ask", direction="out"
    ).first()
    if asked is None:
        raise Malformed("response.requestId")
    if body.get("error"):
        return
    if asked.done_at is None:
        raise NotYet
    transaction_id = text_at(body, "hiRequest.transactionId")
    secret = {"secret": asked.body["secret"], "transaction": transaction_id}
    AbdmMessage.objects.filter(pk=asked.pk).update(body=secret)


def is_expected(transaction_id: Any) -> bool:
    """Whether we asked for this, or for records whose transaction the gateway has not named yet.

    Anybody may bring records: what nobody asked for is not kept.
    """
    asked = AbdmMessage.objects.filter(kind="records.ask", direction="out")
    just_asked = asked.filter(created_at__gt=timezone.now() - KEYS_LAST)
    return isinstance(transaction_id, str) and (
        asked.filter(body__transaction=transaction_id).exists()
        or just_asked.exclude(body__has_key="transaction").exists()
    )


def on_data(body: dict[str, Any]) -> None:
    """Records, encrypted for us. What cannot be read with the keys of this transaction is dropped whole."""
    transaction_id = text_at(body, "transactionId")
    asked = AbdmMessage.objects.filter(
        kind="records.ask", direction="out", body__transaction=transaction_id
    ).select_related("consent__patient").first()  # fmt: skip
    if asked is None or asked.consent is None:
        raise NotYet
    consent = asked.consent
    if not consent.is_in_force:
        record("abdm.refused", consent, by=None, patient=consent.patient)
        return
    keys, theirs = crypto.take_out(asked.body["secret"]), at(body, "keyMaterial")
    entries = at(body, "entries")
    if not isinstance(entries, list):
        raise Malformed("entries")
    for number, entry in enumerate(entries):
        text = crypto.decrypt(text_at(entry, "content"), ours=keys, theirs=theirs)
        bundle = _bundle(text)
        context = f"{text_at(entry, 'careContextReference')}/{bundle.get('id', number)}"[:128]
        AbdmRecord.objects.update_or_create(
            consent=consent, care_context=context, defaults={"bundle": bundle}
        )
    elsewhere_changed(consent.patient_id)
    record("abdm.received", consent, by=consent.requested_by, patient=consent.patient)
    send("received", "/api/hiecm/data-flow/v3/health-information/notify",
         {"notification": _received(consent, transaction_id, entries)}, consent=consent)  # fmt: skip


def _received(consent: AbdmConsent, transaction_id: str, entries: list[Any]) -> dict[str, Any]:
    contexts = sorted({text_at(entry, "careContextReference") for entry in entries})
    return {
        "consentId": consent.artefact_id,
        "transactionId": transaction_id,
        "doneAt": timezone.now().isoformat(),
        "notifier": {"type": "HIU", "id": settings.ABDM["hip_id"]},
        "statusNotification": {
            "sessionStatus": "TRANSFERRED",
            "statusResponses": [
                {"careContextReference": one, "hiStatus": "OK", "description": ""}
                for one in contexts
            ],
        },
    }


def _bundle(text: str) -> dict[str, Any]:
    """Raises Malformed for what is no FHIR bundle."""
    try:
        bundle = read_json(text.encode())
    except ValueError:
        raise Malformed("entries.content") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise Malformed("entries.content")
    return bundle


def records_in_force(patient: Patient) -> Any:
    """What came from elsewhere and may still be shown."""
    return AbdmRecord.objects.filter(
        consent__patient=patient,
        consent__role=HIU,
        consent__state=State.GRANTED,
        consent__expires_at__gt=timezone.now(),
    ).select_related("consent")


@transaction.atomic
def forget_expired() -> None:
    """Records whose consent has run out are erased, as the artefact says (dataEraseAt)."""
    over = AbdmConsent.objects.filter(state=State.GRANTED, expires_at__lte=timezone.now())
    for consent in over.select_related("patient")[:200]:
        _end(consent, State.EXPIRED)
