"""Mobile numbers as people type them."""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

# The library takes letters for the digits on old telephone keys: 98765HELLO is somebody's number.
LETTER_AFTER_DIGIT = re.compile(r"\d.*[^\W\d_]")
IN_E164 = re.compile(r"(\+91)(\d{5})(\d{5})")
MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def normalise(typed: str) -> str:
    """E.164 of an Indian mobile number typed in any usual way, Devanagari digits too.

    Raises ValidationError when it is no mobile number. A valid number is not enough: the library
    calls 1234567890 valid. So the type is asked for; only a valid number has one.
    """
    try:
        number = None if LETTER_AFTER_DIGIT.search(typed) else phonenumbers.parse(typed, "IN")
    except phonenumbers.NumberParseException:
        number = None
    if (
        number is None
        or number.country_code != 91
        or phonenumbers.number_type(number) not in MOBILE
    ):
        raise ValidationError(
            _("This is not an Indian mobile number. Write the 10 digits, for example 98765 43210.")
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def spaced(number: str) -> str:
    """As people read it: +91 98765 43210. What is no Indian mobile number stays as it is."""
    return " ".join(parts.groups()) if (parts := IN_E164.fullmatch(number)) else number
