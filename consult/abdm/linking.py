"""M2, begun elsewhere: the patient looks for their records in their own ABHA app and links them.

discover -> init (a code goes by SMS to the number that we hold) -> confirm. Source: ABDM, "User Initiated
Linking Service" 3.0. Codes of errors are those that ABDM lists for M2.
"""

import re
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions import queue_sms, record, refuse
from accounts.models import Patient, RateLimit
from accounts.secrets import new_code
from consult.abdm.messages import Malformed, at, id_at, rows_at, send, text_at
from consult.models import CareContext, Consultation, LinkRequest

BASE = "/api/hiecm/user-initiated-linking/v3"
MOST = 100  # consultations offered at once
CODES_AN_HOUR = 5
ABHA_DIGITS = 14
SEXES = {"M": Patient.Sex.MALE, "F": Patient.Sex.FEMALE}

NOTHING = {"code": "ABDM-1012", "message": "No records found against the ABHA Address"}
NO_REFERENCE = {"code": "ABDM-1056", "message": "Invalid Link Reference Number"}
OTHER_CONTEXTS = {"code": "ABDM-1057", "message": "Invalid Care Contexts"}
OTHER_PATIENT = {"code": "ABDM-1060", "message": "Invalid Patient Reference Number"}
OTHER_ADDRESS = {"code": "ABDM-1170", "message": "Invalid ABHA address"}
TOO_MANY = {"code": "ABDM-1022", "message": "Too many requests"}
WRONG_CODE = {"code": "ABDM-1036", "message": "The code is wrong or has run out"}


def on_discover(body: dict[str, Any], request_id: str) -> None:
    """Which consultations do we hold of this person, that their app does not show yet?"""
    transaction_id, said = id_at(body, "transactionId"), at(body, "patient")
    patient, matched_by = _whose(said)
    unlinked = list(_unlinked(patient)) if patient else []
    answer: dict[str, Any] = {
        "transactionId": transaction_id,
        "response": {"requestId": request_id},
    }
    if patient and unlinked:
        LinkRequest.objects.get_or_create(
            transaction_id=transaction_id,
            defaults={
                "patient": patient,
                "abha_address": text_at(said, "id").lower(),
                "abha_number": _abha_number(said),
                "care_contexts": [str(one.uid) for one in unlinked],
            },
        )
        answer |= {"patient": [of_patient(patient, unlinked)], "matchedBy": [matched_by]}
        record("abdm.discover", patient, by=None, patient=patient)
    else:
        answer["error"] = NOTHING
    send("on-discover", f"{BASE}/patient/care-context/on-discover", answer, patient=patient)


def _whose(said: dict[str, Any]) -> tuple[Patient | None, str]:
    """By what the gateway has verified alone; one person or nobody.

    Whose ABHA we know verified is found by it. Somebody else is found by the mobile number of their
    account, and only with sex, year of birth and first name: a family shares one number.
    """
    verified = Patient.objects.filter(abha_verified_at__isnull=False)
    address = text_at(said, "id")
    if found := verified.filter(abha_address__iexact=address).order_by("pk").first():
        return found, "ABHA_ADDRESS"
    if number := _abha_number(said):
        known = verified.filter(abha_number=number, abha_address="").order_by("pk").first()
        if known:
            return known, "ABHA_NUMBER"
    phone = _identifier(said, "MOBILE")[-10:]
    if len(phone) < 10:
        return None, ""
    family = Patient.objects.filter(account__phone=f"+91{phone}", abha_verified_at=None)
    alike = [one for one in family[:50] if is_person(one, said)]
    return (alike[0], "MOBILE") if len(alike) == 1 else (None, "")


def _identifier(said: Any, kind: str) -> str:
    """The digits of the first verified identifier of this kind; "" without one."""
    rows = said.get("verifiedIdentifiers")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("type") == kind:
            return "".join(char for char in str(row.get("value")) if char in "0123456789")
    return ""


def _abha_number(said: Any) -> str:
    number = _identifier(said, "ABHA_NUMBER")
    return number if len(number) == ABHA_DIGITS else ""


def is_person(patient: Patient, said: dict[str, Any]) -> bool:
    """Sex and first name agree, and the year of birth, within two years where ours is a guess."""
    born = str(said.get("yearOfBirth") or "")
    apart = abs(int(born) - patient.birth_date.year) if born.isdecimal() else 99
    names = [str(one or "").casefold().split() for one in (patient.name, said.get("name"))]
    sex = SEXES.get(str(said.get("gender")), Patient.Sex.OTHER)
    return (
        apart <= (0 if patient.birth_date_is_exact else 2)
        and all(names)
        and names[0][0] == names[1][0]
        and sex == patient.sex
    )


def _unlinked(patient: Patient) -> "QuerySet[Consultation]":
    done = Consultation.objects.filter(patient=patient, state=Consultation.State.COMPLETED)
    return (
        done.exclude(care_context__linked_at__isnull=False)
        .select_related("clinic")
        .order_by("-pk")[:MOST]
    )


def of_patient(patient: Patient, consultations: list[Consultation]) -> dict[str, Any]:
    """As the gateway lists one patient's consultations; it takes plain letters only."""
    contexts = [context(one) for one in consultations]
    return {
        "referenceNumber": patient.number,
        "display": _plain(patient.name) or patient.number,
        "careContexts": contexts,
        "hiType": "OPConsultation",
        "count": len(contexts),
    }


def context(consultation: Consultation) -> dict[str, str]:
    """How the patient recognises it: the clinic and the day, nothing of the illness."""
    day = timezone.localtime(consultation.ended_at)
    return {
        "referenceNumber": str(consultation.uid),
        "display": f"{_plain(consultation.clinic.name) or 'Teleconsultation'}, {day:%d %b %Y}",
    }


def _plain(words: str) -> str:
    """ "" when it has a letter that the gateway refuses (its pattern of a display)."""
    return words if re.fullmatch(r"[a-zA-Z0-9_\-@,. \"':|()/]{1,200}", words) else ""


def on_init(body: dict[str, Any], request_id: str) -> None:
    """The patient chose consultations: a code goes to the number that we hold."""
    transaction_id = text_at(body, "transactionId")
    answer: dict[str, Any] = {
        "transactionId": transaction_id,
        "response": {"requestId": request_id},
    }
    rows = LinkRequest.objects.select_related("patient__account")
    asked = rows.filter(transaction_id=transaction_id, confirmed_at=None).first()
    wrong, chosen = _why_not(asked, body) if asked else (NOTHING, [])
    patient = asked.patient if asked else None
    if asked is None or wrong:
        answer["error"] = wrong
        refuse("abdm.link_refused", asked or "link", by=None, patient=patient)
    else:
        answer["link"] = _send_code(asked, chosen)
    send("on-init", f"{BASE}/link/care-context/on-init", answer, patient=patient)


def _why_not(asked: LinkRequest, body: dict[str, Any]) -> tuple[dict[str, str] | None, list[str]]:
    """What is wrong with the choice, and the consultations chosen."""
    patients = body.get("patient")
    rows = patients if isinstance(patients, list) else [patients]
    if any(text_at(row, "referenceNumber") != asked.patient.number for row in rows):
        return OTHER_PATIENT, []
    if str(body.get("abhaAddress") or asked.abha_address).lower() != asked.abha_address:
        return OTHER_ADDRESS, []
    chosen = [
        text_at(one, "referenceNumber") for row in rows for one in rows_at(row, "careContexts")
    ]
    if not chosen or not set(chosen) <= set(asked.care_contexts):
        return OTHER_CONTEXTS, []
    hour = timedelta(hours=1)
    phone = asked.patient.account.phone
    if RateLimit.hit("abdm link codes", phone, limit=CODES_AN_HOUR, window=hour):
        return TOO_MANY, []
    return None, chosen


def _send_code(asked: LinkRequest, chosen: list[str]) -> dict[str, Any]:
    code, now, account = new_code(), timezone.now(), asked.patient.account
    LinkRequest.objects.filter(pk=asked.pk).update(
        care_contexts=chosen, code_hash=asked.hash_of(code), sent_at=now, tries=0
    )
    queue_sms(
        to=account.phone,
        key="link_code",
        language=asked.patient.language,
        is_secret=True,
        code=code,
    )
    record("abdm.link_code", asked.patient, by=None, patient=asked.patient)
    expires = now + LinkRequest.CODE_LIFE
    return {
        "referenceNumber": str(asked.uid),
        "authenticationType": "DIRECT",
        "meta": {
            "communicationMedium": "MOBILE",
            "communicationHint": f"******{account.phone[-4:]}",
            "communicationExpiry": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        },
    }


def on_confirm(body: dict[str, Any], request_id: str) -> None:
    """The code from the SMS: the chosen consultations are linked, and the ABHA is known as theirs."""
    reference = text_at(body, "confirmation.linkRefNumber")
    code = str(at(body, "confirmation.token")).strip().zfill(6)
    answer: dict[str, Any] = {"response": {"requestId": request_id}}
    asked = _by_reference(reference)
    patient = asked.patient if asked else None
    if asked is None:
        answer["error"] = NO_REFERENCE
        refuse("abdm.link_refused", "link", by=None)
    elif not asked.try_code(code):
        answer["error"] = WRONG_CODE
        refuse("abdm.link_refused", asked, by=None, patient=asked.patient)
    else:
        answer["patient"] = [of_patient(asked.patient, _linked_now(asked))]
    send(
        "on-confirm",
        f"{BASE}/link/care-context/on-confirm",
        answer,
        patient=patient,
    )


def _by_reference(reference: str) -> LinkRequest | None:
    try:
        found = LinkRequest.objects.select_related("patient").filter(uid=reference)
        return found.first()
    except (ValueError, ValidationError):
        raise Malformed("confirmation.linkRefNumber") from None


def _linked_now(asked: LinkRequest) -> list[Consultation]:
    patient, now = asked.patient, timezone.now()
    rows = Consultation.objects.filter(patient=patient, uid__in=asked.care_contexts)
    consultations = list(rows.select_related("clinic").order_by("-pk"))
    for one in consultations:
        CareContext.objects.update_or_create(consultation=one, defaults={"linked_at": now})
    if not patient.abha_is_verified:
        patient.abha_address, patient.abha_verified_at = asked.abha_address, now
        patient.abha_number = asked.abha_number or patient.abha_number
        patient.save(update_fields=["abha_address", "abha_number", "abha_verified_at"])
        record("abha.verify", patient, by=None, patient=patient)
    record("abdm.link", patient, by=None, patient=patient)
    return consultations
