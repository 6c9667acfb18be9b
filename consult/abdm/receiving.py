"""M3: records that we asked for come sealed, are opened and kept while their consent is in force."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.actions import record
from accounts.models import Patient
from consult.abdm import crypto
from consult.abdm.messages import Malformed, NotYet, at, rows_at, send, text_at, unfinished
from consult.broadcast import elsewhere_changed
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord
from esanjeevani.strict_json import read_json

KEYS_LAST = timedelta(hours=1)
UNNAMED = 20  # pages of records that may wait for the gateway to name their transaction


def ask_records(consent: AbdmConsent) -> None:
    """Under a consent in force: to be sealed with keys of this transfer alone."""
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
    if not isinstance(transaction_id, str):
        return False
    asked = AbdmMessage.objects.filter(kind="records.ask", direction="out")
    if asked.filter(body__transaction=transaction_id).exists():
        return True
    just_asked = asked.filter(created_at__gt=timezone.now() - KEYS_LAST)
    return just_asked.exclude(body__has_key="transaction").exists() and unfinished("data") < UNNAMED


def on_data(body: dict[str, Any]) -> None:
    """Records, encrypted for us. What cannot be read with the keys of this transaction is dropped whole."""
    transaction_id = text_at(body, "transactionId")
    asked = AbdmMessage.objects.filter(
        kind="records.ask", direction="out", body__transaction=transaction_id
    ).first()  # fmt: skip
    if asked is None or asked.consent_id is None:
        raise NotYet
    # Locked: a withdrawal at this moment takes what is kept here away again.
    ours = AbdmConsent.objects.select_for_update(of=("self",)).select_related("patient")
    consent = ours.get(pk=asked.consent_id)
    if not consent.is_in_force:
        record("abdm.refused", consent, by=None, patient=consent.patient)
        return
    keys, theirs = crypto.take_out(asked.body["secret"]), at(body, "keyMaterial")
    entries = rows_at(body, "entries")
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
        consent__role=AbdmConsent.Role.HIU,
        consent__state=AbdmConsent.State.GRANTED,
        consent__expires_at__gt=timezone.now(),
    ).select_related("consent")
