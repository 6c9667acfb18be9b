"""M3: we ask for records (HIU): a consent is asked for, and followed when it is given or withdrawn."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import Doctor, Patient
from consult.abdm.ended import has_ended, wake
from consult.abdm.holding import KINDS, moment
from consult.abdm.messages import Malformed, NotYet, at, id_at, rows_at, send, text_at
from consult.abdm.receiving import ask_records
from consult.broadcast import elsewhere_changed
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord

HIU = AbdmConsent.Role.HIU
State = AbdmConsent.State
LASTS = timedelta(days=1)


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
    request_id = id_at(body, "consentRequest.id")
    AbdmConsent.objects.filter(pk=consent.pk).update(request_id=request_id)
    wake(request=request_id)


def _consent_of(body: dict[str, Any], kind: str) -> AbdmConsent:
    """Of our message that this answers. Raises NotYet, Malformed."""
    asked = AbdmMessage.objects.filter(
        request_id=text_at(body, "response.requestId"), kind=kind, direction="out"
    ).first()
    if asked is None or asked.consent_id is None:
        raise Malformed("response.requestId")
    return AbdmConsent.objects.select_for_update().get(pk=asked.consent_id)


def not_asked(message: AbdmMessage) -> None:
    """The gateway would not take the question, or never answered."""
    for asked in AbdmConsent.objects.filter(messages=message, state=State.REQUESTED):
        _end(asked, State.DENIED)


def on_decision(body: dict[str, Any], request_id: str) -> None:
    """The patient has decided: granted artefacts are fetched; a withdrawal takes the records away."""
    notice = at(body, "notification")
    status = text_at(notice, "status").upper()
    named = rows_at(notice, "consentArtefacts") if notice.get("consentArtefacts") else []
    ids = [id_at(one, "id") for one in named]
    _follow(notice, status, ids)
    send("on-decision", "/api/hiecm/consent/v3/request/hiu/on-notify",
         {"acknowledgement": [{"status": "OK", "consentId": one} for one in ids],
          "response": {"requestId": request_id}})  # fmt: skip


def _follow(notice: dict[str, Any], status: str, ids: list[str]) -> None:
    ours = AbdmConsent.objects.select_for_update().filter(role=HIU)
    asked = ours.filter(request_id=text_at(notice, "consentRequestId")).order_by("pk").first()
    if status in ("REVOKED", "EXPIRED"):
        known = list(ours.filter(artefact_id__in=ids))
        _withdraw(asked, known, ids, State.REVOKED if status == "REVOKED" else State.EXPIRED)
        return
    if asked is None:
        raise NotYet
    if status != "GRANTED":
        _end(asked, State.DENIED)
        return
    for artefact in ids:
        send("consent.fetch", "/api/hiecm/consent/v3/fetch", {"consentId": artefact},
             consent=asked, patient=asked.patient)  # fmt: skip


def _withdraw(
    asked: AbdmConsent | None, known: list[AbdmConsent], ids: list[str], state: str
) -> None:
    """What is withdrawn before it was fetched is written down so: if it still comes, it does not count."""
    if asked is None and not known:
        raise NotYet
    for consent in known:
        _end(consent, state)
    if asked is None:
        return
    if not ids and asked.state == State.REQUESTED:  # nobody answered in time
        _end(asked, state)
    for artefact in sorted(set(ids) - {one.artefact_id for one in known}):
        _end(_bearing(artefact, asked), state)


def _bearing(artefact: str, asked: AbdmConsent) -> AbdmConsent:
    """Records of one person in several places: an artefact for each, the first on the row that asked."""
    consent = AbdmConsent.objects.get(pk=asked.pk)
    if consent.artefact_id:
        consent.pk, consent.uid = None, AbdmConsent._meta.get_field("uid").get_default()
    consent.artefact_id = artefact
    consent.save()
    return consent


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
    artefact = id_at(detail, "consentId")
    if text_at(detail, "patient.id").lower() != asked.patient.abha_address.lower():
        record("abdm.refused", asked, by=None, patient=asked.patient)
        raise Malformed("consentDetail.patient.id")
    if text_at(body, "consent.status").upper() != "GRANTED":
        return
    if AbdmConsent.objects.filter(role=HIU, artefact_id=artefact).exists():
        return
    consent = _bearing(artefact, asked)
    if asked.request_id and has_ended(artefact, request=asked.request_id):
        _end(consent, State.REVOKED)
        return
    consent.state = State.GRANTED
    consent.expires_at = min(consent.expires_at, moment(detail, "permission.dataEraseAt"))
    # The patient may have given less than was asked for.
    consent.from_at = moment(detail, "permission.dateRange.from")
    consent.to_at = moment(detail, "permission.dateRange.to")
    consent.hi_types = [kind for kind in rows_at(detail, "hiTypes") if isinstance(kind, str)]
    consent.save()
    elsewhere_changed(consent.patient_id)
    if consent.is_in_force:  # it may come late
        ask_records(consent)


@transaction.atomic
def forget_expired() -> None:
    """Records whose consent has run out are erased, as the artefact says (dataEraseAt)."""
    over = AbdmConsent.objects.filter(state=State.GRANTED, expires_at__lte=timezone.now())
    for consent in over.select_related("patient")[:200]:
        _end(consent, State.EXPIRED)
