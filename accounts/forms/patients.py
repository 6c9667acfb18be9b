from copy import copy
from datetime import date
from typing import Any

from django import forms
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.checks import is_luhn
from accounts.forms.places import DISTRICT, PlaceField, districts_of, state_code
from accounts.forms.signing_in import ascii_digits
from accounts.models import Patient, State
from accounts.models.patients import ADULT, age_on
from esanjeevani.rendering.forms import COLON, QuickForm, share_fields
from esanjeevani.sql.instances import new

OLDEST = 125  # years


def _label(field: str) -> Any:
    """As the table calls it, in the language of whoever looks."""
    column: Any = Patient._meta.get_field(field)
    return capfirst(column.verbose_name)


@share_fields
class PatientForm(QuickForm, forms.ModelForm):
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
        help_text=gettext_lazy("14 digits. Leave it empty if there is none."),
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

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        instance: Patient | None = None,
        initial: Any = None,
        **kwargs: Any,
    ) -> None:
        """As Django's; but that would ask each field whether its choices are limited, which none is."""
        self.instance, self._validate_unique = instance or new(Patient), False
        known = model_to_dict(instance, PatientForm.Meta.fields) if instance else {}
        initial = known | (initial or {})
        forms.BaseForm.__init__(
            self, data, files, **{"initial": initial, "label_suffix": COLON, **kwargs}
        )
        self.fields["district"] = districts_of(self._chosen_state())

    def _clean_fields(self) -> None:
        """A district that is found names its state: one look for both."""
        code = self._typed("district")
        district = DISTRICT.first(state=self._chosen_state(), code=code) if code else None
        if district is not None:
            for name, row in (("district", district), ("state", district.state)):
                field: Any = copy(self.fields[name])  # all forms share that
                field.known = row
                self.fields[name] = field
        super()._clean_fields()

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
