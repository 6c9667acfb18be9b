"""The shape of what people type. Words for tired people: what is asked, and what is wrong with it."""

from accounts.forms.patients import OLDEST, PatientForm
from accounts.forms.places import PlaceSelect, state_code
from accounts.forms.signing_in import (
    AppCodeForm,
    CodeForm,
    PhoneForm,
    StaffSignInForm,
    ascii_digits,
    six_digits,
)

__all__ = [
    "OLDEST",
    "AppCodeForm",
    "CodeForm",
    "PatientForm",
    "PhoneForm",
    "PlaceSelect",
    "StaffSignInForm",
    "ascii_digits",
    "six_digits",
    "state_code",
]
