"""The national identifiers of patients, doctors and facilities: their shapes, and nothing more.

ABHA number 14 digits, the last a Luhn check digit; ABHA address `local@abdm` (`@sbx` in the sandbox);
HPR id in the same shape, without a published check digit, or `name@hpr.abdm` (`@dr.abdm` too); HFR id
free text of up to 20. Source: ABDM, sandbox
documentation. A shape that fits verifies nothing: only an answer of the gateway does.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.checks import is_luhn

ADDRESS = re.compile(r"[a-z0-9](?:[a-z0-9._]{1,48}[a-z0-9])@(?:abdm|sbx)", re.IGNORECASE)
HPR_NUMBER = re.compile(r"\d{2}-?\d{4}-?\d{4}-?\d{4}", re.ASCII)
HPR_NAME = re.compile(r"[a-z0-9._-]{1,48}@(?:hpr|dr)\.abdm", re.IGNORECASE)


def is_abha_number(digits: str) -> bool:
    """Of 14 digits, with the right check digit."""
    return len(digits) == 14 and is_luhn(digits)


def check_abha_address(typed: str) -> None:
    """Raises ValidationError."""
    if not ADDRESS.fullmatch(typed):
        raise ValidationError(_("An ABHA address looks like name@abdm."))


def check_hpr_id(typed: str) -> None:
    """Raises ValidationError."""
    if not (HPR_NUMBER.fullmatch(typed) or HPR_NAME.fullmatch(typed)):
        raise ValidationError(_("An HPR id has 14 digits, or looks like name@hpr.abdm."))
