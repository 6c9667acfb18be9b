"""M1: whether an ABHA number is this patient's. Only the gateway's answer makes it "verified"."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actions import TooMany, record
from accounts.identifiers import is_abha_number
from accounts.models import Patient, RateLimit, User
from consult.abdm import gateway

HOUR = timedelta(hours=1)
CODES_AN_HOUR = 5


class NotTheirs(Exception):
    """The gateway knows another person under this number."""


def ask_for_code(*, patient: Patient, by: User) -> str:
    """A code by SMS to the number that the ABHA is registered with; returns the transaction's id.

    Raises TooMany, ValueError for what is no ABHA number, GatewayAway, GatewayRefused.
    """
    if seconds := RateLimit.hit("abha codes", str(by.pk), limit=CODES_AN_HOUR, window=HOUR):
        raise TooMany(seconds)
    if not is_abha_number(patient.abha_number):
        raise ValueError("The check digit does not fit.")
    answer = gateway.post(
        "/abha/api/v3/profile/login/request/otp",
        {
            "scope": ["abha-login", "mobile-verify"],
            "loginHint": "abha-number",
            "loginId": gateway.hidden(patient.dashed_abha),
            "otpSystem": "abdm",
        },
    )
    return _text(answer, "txnId")


def verify(*, patient: Patient, transaction_id: str, code: str, by: User) -> Patient:
    """Raises NotTheirs when year of birth or sex differ, GatewayAway, GatewayRefused."""
    answer = gateway.post(
        "/abha/api/v3/profile/login/verify",
        {
            "scope": ["abha-login", "mobile-verify"],
            "authData": {
                "authMethods": ["otp"],
                "otp": {"txnId": transaction_id, "otpValue": gateway.hidden(code)},
            },
        },
    )
    accounts = answer.get("accounts") if isinstance(answer, dict) else None
    profile = accounts[0] if isinstance(accounts, list) and accounts else {}
    if not _is_same(profile, patient):
        raise NotTheirs
    return _verified(patient, profile, by)


def _is_same(profile: Any, patient: Patient) -> bool:
    digits = "".join(char for char in _text(profile, "ABHANumber") if char.isdigit())
    sex = {"M": Patient.Sex.MALE, "F": Patient.Sex.FEMALE}.get(_text(profile, "gender"))
    born = _text(profile, "yearOfBirth") or _text(profile, "dob")[-4:]
    years_apart = abs(int(born) - patient.birth_date.year) if born.isdigit() else 99
    allowed = 0 if patient.birth_date_is_exact else 2
    return (
        digits == patient.abha_number
        and years_apart <= allowed
        and sex in (None, Patient.Sex(patient.sex))
    )


@transaction.atomic
def _verified(patient: Patient, profile: dict[str, Any], by: User) -> Patient:
    patient.abha_address = _text(profile, "preferredAbhaAddress") or patient.abha_address
    patient.abha_verified_at = timezone.now()
    patient.save(update_fields=["abha_address", "abha_verified_at"])
    record("abha.verify", patient, by=by, patient=patient)
    return patient


def _text(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    return value if isinstance(value, str) else ""
