"""The shape of what people type. Words for tired people: what is asked, and what is wrong with it."""

import unicodedata
from collections.abc import Iterator
from copy import copy
from datetime import date
from typing import Any

from django import forms
from django.db.models import PositiveIntegerField
from django.forms.models import ModelChoiceIterator
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.checks import is_luhn
from accounts.models import District, Patient, State
from accounts.models.patients import ADULT, age_on
from accounts.phone import normalise
from esanjeevani.composed import Composed
from esanjeevani.forms import share_fields

OLDEST = 125  # years


def ascii_digits(typed: str) -> str:
    """Digits of any script as 0-9; everything else is dropped."""
    return "".join(
        str(value) for char in typed if (value := unicodedata.digit(char, None)) is not None
    )


def state_code(typed: str) -> int:
    """An LGD code of at most five digits, as the column holds; 0, which is no state, otherwise."""
    return int(typed) if typed.isdecimal() and len(typed) <= 5 else 0


DISTRICT = Composed(
    lambda state, code: District.objects.select_related("state").filter(state=state, pk=code),
    state=PositiveIntegerField(),
    code=PositiveIntegerField(),
)


@share_fields
class PhoneForm(forms.Form):
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
class CodeForm(forms.Form):
    code = _code_field(gettext_lazy("The 6 digits from the SMS"))

    def clean_code(self) -> str:
        code = ascii_digits(self.cleaned_data["code"])
        if len(code) != 6:
            raise forms.ValidationError(_("The code has 6 digits."))
        return code


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


class _AllAtOnce(ModelChoiceIterator):
    """The rows in one question: Django opens a cursor, reads it and closes it."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for row in self.queryset.all():
            yield self.choice(row)


class PlaceSelect(forms.Select):
    """Plain options, none with attributes of its own: Django asks a dozen things of each."""

    def optgroups(
        self, name: str, value: list[str], attrs: dict[str, Any] | None = None
    ) -> list[tuple[str | None, list[dict[str, Any]], int | None]]:
        options = [
            {
                "value": str(key),
                "label": label,
                "attrs": {"selected": True} if str(key) in value else {},
            }
            for key, label in self.choices
        ]
        return [(None, options, 0)]


class PlaceField(forms.ModelChoiceField):
    """A row that was looked up with the form is not asked for again."""

    widget = PlaceSelect
    iterator = _AllAtOnce
    known: Any = None

    def to_python(self, value: Any) -> Any:
        if self.known is not None and str(self.known.pk) == str(value):
            return self.known
        return super().to_python(value)


class DistrictField(PlaceField):
    """The districts of one state: all of India's would weigh more than the page."""

    default_error_messages = {"invalid_choice": gettext_lazy("This district is in another state.")}

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.local_name)


def _label(field: str) -> Any:
    """As the table calls it, in the language of whoever looks."""
    column: Any = Patient._meta.get_field(field)
    return capfirst(column.verbose_name)


@share_fields
class PatientForm(forms.ModelForm):
    """Birth date or age; for a child the adult too."""

    birth_date = forms.DateField(
        label=gettext_lazy("Date of birth"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    age = forms.IntegerField(
        label=gettext_lazy("or age in years"),
        required=False,
        min_value=0,
        max_value=OLDEST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    sex = forms.ChoiceField(
        label=_label("sex"), choices=Patient.Sex.choices, widget=forms.RadioSelect
    )
    state = PlaceField(queryset=State.objects.order_by("name"), label=_label("state"))
    abha_number = forms.CharField(
        label=_label("abha_number"),
        required=False,
        help_text=gettext_lazy("14 digits, only if you have one"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    class Meta:
        model = Patient
        fields = [
            "name",
            "birth_date",
            "sex",
            "guardian_name",
            "guardian_relation",
            "address",
            "state",
            "district",
            "language",
            "abha_number",
        ]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "address": forms.Textarea(attrs={"rows": 2, "autocomplete": "street-address"}),
        }
        help_texts = {
            "address": gettext_lazy("House, village or street, PIN code"),
            "guardian_name": gettext_lazy("Only for a patient under 18"),
        }

    field_order = ["name", "birth_date", "age", "sex"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["district"] = DistrictField(
            queryset=District.objects.filter(state=self._chosen_state()),
            required=False,
            label=gettext_lazy("District"),
        )

    def _clean_fields(self) -> None:
        """A district that is found names its state: one look for both."""
        code = self._typed("district")
        district = DISTRICT.first(state=self._chosen_state(), code=code) if code else None
        if district is not None:
            self.fields["state"] = copy(self.fields["state"])  # all forms share that
            self.fields["district"].known = district  # type: ignore[attr-defined]
            self.fields["state"].known = district.state  # type: ignore[attr-defined]
        super()._clean_fields()  # type: ignore[misc]

    def _typed(self, field: str) -> int:
        return state_code(str(self.data.get(self.add_prefix(field)) or ""))

    def _post_clean(self) -> None:
        """What was typed goes into the patient: each field has checked what the table asks for.

        Django would ask the table's fields once more, and compose each of its constraints.
        """
        for name in PatientForm.Meta.fields:
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])

    def _chosen_state(self) -> int:
        """LGD code of the state chosen so far; 0, which is no state, before that."""
        chosen = self.data.get("state") or self.initial.get("state") or self.instance.state_id
        return state_code(str(chosen or ""))

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if not any(char.isalpha() for char in name):
            raise forms.ValidationError(_("Write the name in letters."))
        return name

    def clean_birth_date(self) -> date | None:
        birth_date: date | None = self.cleaned_data["birth_date"]
        if birth_date and birth_date > timezone.localdate():
            raise forms.ValidationError(_("The date of birth lies in the future."))
        if birth_date and age_on(birth_date, timezone.localdate()) > OLDEST:
            raise forms.ValidationError(_("Check the year of birth."))
        return birth_date

    def clean_abha_number(self) -> str:
        typed = self.cleaned_data["abha_number"]
        digits = ascii_digits(typed)
        if typed.strip() and len(digits) != 14:
            raise forms.ValidationError(_("An ABHA number has 14 digits. You may leave it empty."))
        return digits

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        birth_date, age = cleaned.get("birth_date"), cleaned.get("age")
        exact = birth_date is not None
        if birth_date is None and age is not None:
            birth_date = self._born(age)
        if birth_date is None:
            if not self.errors.keys() & {"birth_date", "age"}:
                self.add_error("birth_date", _("Give the date of birth or the age."))
            return cleaned
        cleaned["birth_date"] = birth_date
        self.instance.birth_date_is_exact = exact
        self._check_guardian(cleaned, birth_date)
        return cleaned

    def _born(self, age: int) -> date:
        """From an age; one that was not changed keeps the date it was reckoned to before."""
        if self.instance.pk and not self.instance.birth_date_is_exact and self.instance.age == age:
            return self.instance.birth_date
        return _born_years_ago(age)

    def _check_guardian(self, cleaned: dict[str, Any], birth_date: date) -> None:
        if age_on(birth_date, timezone.localdate()) >= ADULT:
            return
        for field in ("guardian_name", "guardian_relation"):
            if not cleaned.get(field) and field not in self.errors:
                self.add_error(field, _("A patient under 18 needs an adult: name and relation."))

    @property
    def abha_is_doubtful(self) -> bool:
        """The check digit does not fit: a warning, not a refusal."""
        number = self.cleaned_data.get("abha_number", "")
        return bool(number) and not is_luhn(number)


def _born_years_ago(years: int) -> date:
    """A birth date that makes the person `years` old today."""
    today = timezone.localdate()
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)
