from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from consult.vitals import VITALS, Vital


def _impossible(low: float, high: float, unit: str) -> str:
    words = _("%(low)s to %(high)s %(unit)s is possible. Measure again.") % {
        "low": f"{low:g}",
        "high": f"{high:g}",
        "unit": unit,
    }
    return words.replace("%", "%%")  # the form fills it in once more


_impossible_lazy = lazy(_impossible, str)


def _name(vital: Vital) -> str:
    return f"vital_{vital.kind}"


def _field(vital: Vital) -> forms.DecimalField:
    low, high = vital.possible
    impossible = _impossible_lazy(low, high, vital.shown_unit)
    field = forms.DecimalField(
        label=vital.label,
        required=False,
        min_value=Decimal(str(low)),
        max_value=Decimal(str(high)),
        max_digits=6,
        decimal_places=1,
        error_messages={"min_value": impossible, "max_value": impossible},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 6, "autocomplete": "off"}),
    )
    field.unit = vital.shown_unit  # type: ignore[attr-defined]
    return field


# One for each vital sign, of all forms that ask for them: nothing changes them, so none copies them.
VITAL_FIELDS: dict[str, forms.Field] = {_name(vital): _field(vital) for vital in VITALS}


def vitals_of(form: forms.BaseForm) -> dict[str, Decimal]:
    """What is typed of them, valid values only."""
    found = {vital.kind: form.cleaned_data.get(_name(vital)) for vital in VITALS}
    return {kind: value for kind, value in found.items() if value is not None}


def bound_vitals(form: forms.BaseForm) -> list[forms.BoundField]:
    return [form[_name(vital)] for vital in VITALS]


def check_pressure(form: forms.BaseForm, cleaned: dict[str, Any]) -> None:
    upper, lower = cleaned.get("vital_systolic"), cleaned.get("vital_diastolic")
    if (upper is None) != (lower is None) and "vital_systolic" not in form.errors:
        form.add_error("vital_systolic", _("Blood pressure has two numbers, such as 120 and 80."))
    elif upper is not None and lower is not None and upper <= lower:
        form.add_error("vital_systolic", _("The upper number is the larger one."))


class VitalsForm(forms.Form):
    """Vital signs measured while the case waits or the doctor asks."""

    template_name = "consult/centre/_vital_fields.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= VITAL_FIELDS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        check_pressure(self, cleaned)
        if not self.errors and not vitals_of(self):
            raise forms.ValidationError(_("Write at least one number."))
        return cleaned

    @property
    def vitals(self) -> dict[str, Decimal]:
        return vitals_of(self)
