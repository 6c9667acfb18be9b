import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.phone import normalise
from esanjeevani.rendering.forms import QuickForm, share_fields


def ascii_digits(typed: str) -> str:
    """Digits of any script as 0-9; everything else is dropped."""
    return "".join(
        str(value) for char in typed if (value := unicodedata.digit(char, None)) is not None
    )


def six_digits(typed: str) -> str:
    """Of a code. Raises ValidationError."""
    code = ascii_digits(typed)
    if len(code) != 6:
        raise forms.ValidationError(_("The code has 6 digits."))
    return code


@share_fields
class PhoneForm(QuickForm, forms.Form):
    phone = forms.CharField(
        label=gettext_lazy("Your mobile number"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "autofocus": True}
        ),
    )

    def clean_phone(self) -> str:
        return normalise(self.cleaned_data["phone"])


def _code_field(label: Any) -> forms.CharField:
    attributes = {
        "inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True, "class": "code",
    }  # fmt: skip
    return forms.CharField(label=label, max_length=20, widget=forms.TextInput(attributes))


@share_fields
class CodeForm(QuickForm, forms.Form):
    code = _code_field(gettext_lazy("The 6 digits from the SMS"))

    def clean_code(self) -> str:
        return six_digits(self.cleaned_data["code"])


@share_fields
class AppCodeForm(CodeForm):
    code = _code_field(gettext_lazy("The 6 digits from your authenticator app"))


@share_fields
class StaffSignInForm(PhoneForm):
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
