"""The shape of what health workers type."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import OLDEST, PatientForm
from accounts.models import Patient
from accounts.phone import normalise
from consult.forms.consultation import CHILDBEARING_AGES
from consult.models import (
    Case,
    Consent,
    Consultation,
    Dispensing,
    FollowUp,
    Prescription,
)
from consult.of_consultation import LINES
from consult.vitals import VITALS, Vital
from queues.line import Standing
from queues.models import Clinic


class FindForm(forms.Form):
    """A number, or name with age and village: either finds."""

    number = forms.CharField(
        label=gettext_lazy("Mobile, patient or ABHA number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    name = forms.CharField(label=gettext_lazy("or name"), required=False, max_length=120)
    age = forms.IntegerField(
        label=gettext_lazy("and age"),
        required=False,
        min_value=0,
        max_value=OLDEST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    village = forms.CharField(label=gettext_lazy("and village"), required=False, max_length=80)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors or cleaned.get("number", "").strip():
            return cleaned
        given = [cleaned.get("name", "").strip(), cleaned.get("village", "").strip()]
        if not all(given) or cleaned.get("age") is None:
            raise forms.ValidationError(
                _("Give a number, or the name with age and village: all three.")
            )
        return cleaned


class CentrePatientForm(PatientForm):
    """As patients register themselves, with the number at which they can be reached."""

    phone = forms.CharField(
        label=gettext_lazy("Mobile number"),
        max_length=40,
        help_text=gettext_lazy(
            "Of the patient or a relative. The prescription comes there by SMS."
        ),
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    field_order = ["phone", "name", "birth_date", "age", "sex"]

    def clean_phone(self) -> str:
        return normalise(self.cleaned_data["phone"])


class CentreCaseForm(forms.ModelForm):
    """The case as a health worker writes it, vital signs included.

    As a draft it may have gaps: what is needed to send it, the gates say when it is sent.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    class Meta:
        model = Consultation
        fields = Case.WORDS
        widgets = {
            "complaint": forms.Textarea(attrs={"rows": 3}),
            "history": forms.Textarea(attrs={"rows": 2}),
            "examination": forms.Textarea(attrs={"rows": 3}),
            "lmp": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        labels = {
            "allergies": gettext_lazy("Allergies"),
            "is_emergency": gettext_lazy("Emergency: goes out at once and is called first"),
        }
        help_texts = {
            "complaint": gettext_lazy("In the patient's words: what, where, how strong?"),
            "allergies": gettext_lazy("Write “none” if you asked and there are none."),
            "impression": gettext_lazy("A first thought; the doctor decides."),
        }

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patient = patient
        for name in ("complaint", "since"):
            self.fields[name].required = False
        self.fields["revision"].initial = self.instance.revision
        if patient.sex == Patient.Sex.MALE or patient.age not in CHILDBEARING_AGES:
            del self.fields["is_pregnant"], self.fields["lmp"]
        for vital in VITALS:
            self.fields[_name(vital)] = _vital_field(vital)

    def clean_lmp(self) -> Any:
        day = self.cleaned_data["lmp"]
        if day and day > timezone.localdate():
            raise forms.ValidationError(_("This day lies in the future."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        _check_pressure(self, cleaned)
        return cleaned

    def _post_clean(self) -> None:
        """The action writes the row, as it stands then; constraints are the database's to hold."""

    @property
    def words(self) -> dict[str, Any]:
        """The words of the case as typed; valid ones only."""
        return {name: self.cleaned_data[name] for name in Case.WORDS if name in self.cleaned_data}

    @property
    def vitals(self) -> dict[str, Decimal]:
        return _vitals_of(self)

    @property
    def vital_fields(self) -> list[Any]:
        return [self[_name(vital)] for vital in VITALS]


def _name(vital: Vital) -> str:
    return f"vital_{vital.kind}"


def _vital_field(vital: Vital) -> forms.DecimalField:
    low, high = vital.possible
    impossible = _("%(low)s to %(high)s %(unit)s is possible. Measure again.") % {
        "low": f"{low:g}",
        "high": f"{high:g}",
        "unit": vital.shown_unit,
    }
    impossible = impossible.replace("%", "%%")  # the form fills it in once more
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


def _vitals_of(form: forms.BaseForm) -> dict[str, Decimal]:
    found = {vital.kind: form.cleaned_data.get(_name(vital)) for vital in VITALS}
    return {kind: value for kind, value in found.items() if value is not None}


def _check_pressure(form: forms.BaseForm, cleaned: dict[str, Any]) -> None:
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
        for vital in VITALS:
            self.fields[_name(vital)] = _vital_field(vital)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        _check_pressure(self, cleaned)
        if not self.errors and not _vitals_of(self):
            raise forms.ValidationError(_("Write at least one number."))
        return cleaned

    @property
    def vitals(self) -> dict[str, Decimal]:
        return _vitals_of(self)


class SendForm(forms.Form):
    """Where to, on whose consent, and that the patient is here."""

    clinic = forms.ChoiceField(
        label=gettext_lazy("Send it to"), widget=forms.RadioSelect, required=False
    )
    because = forms.CharField(
        label=gettext_lazy("Why another clinic than the one proposed?"),
        required=False,
        max_length=300,
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How did the patient agree?"),
        choices=[
            (Consent.How.SPOKEN.value, gettext_lazy("Said so, after I read it out")),
            (Consent.How.SIGNED.value, gettext_lazy("Signed or thumb-printed on paper")),
            (Consent.How.CARER.value, gettext_lazy("The adult who came along agreed")),
        ],
        initial=Consent.How.SPOKEN,
        widget=forms.RadioSelect,
    )
    consent = forms.BooleanField(
        label=gettext_lazy("The patient agrees to be treated by a doctor over the internet."),
        required=False,
    )
    is_present = forms.BooleanField(
        label=gettext_lazy("The patient is here with me now."), required=False
    )
    phone = forms.ChoiceField(
        label=gettext_lazy("If the call breaks off, may the doctor phone?"),
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(
        self,
        *args: Any,
        standings: Iterable[Standing],
        patients_phone: str,
        centres_phone: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        numbers = [
            ("patient", _("Yes, the patient's number: %(number)s"), patients_phone),
            ("centre", _("Yes, the health centre's number: %(number)s"), centres_phone),
        ]
        self.fields["phone"].choices = [  # type: ignore[attr-defined]
            ("", _("No")),
            *[(who, words % {"number": number}) for who, words, number in numbers if number],
        ]
        self.clinics = {str(one.clinic.uid): one.clinic for one in standings}
        self.fields["clinic"].choices = [  # type: ignore[attr-defined]
            (uid, clinic.local_name) for uid, clinic in self.clinics.items()
        ]

    def clean_clinic(self) -> Clinic | None:
        return self.clinics.get(self.cleaned_data["clinic"])


class FollowUpForm(forms.ModelForm):
    class Meta:
        model = FollowUp
        fields = ["outcome", "outcome_words"]
        widgets = {"outcome": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = FollowUp.Outcome.choices  # type: ignore[attr-defined]


class DispensingForm(forms.Form):
    """Per medicine of one prescription: what was given."""

    def __init__(self, *args: Any, prescription: Prescription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = LINES.all(prescription=prescription.pk)
        for line in self.lines:
            noted = getattr(line, "dispensing", None)
            self.fields[f"given_{line.position}"] = forms.ChoiceField(
                label=f"{line.generic} {line.strength}",
                choices=[("", gettext_lazy("not noted")), *Dispensing.Given.choices],
                required=False,
                initial=noted.given if noted else "",
            )
            self.fields[f"words_{line.position}"] = forms.CharField(
                label=gettext_lazy("How much, or why not"),
                required=False,
                max_length=120,
                initial=noted.words if noted else "",
            )

    @property
    def rows(self) -> list[tuple[Any, Any, Any]]:
        """Each line with its two fields."""
        return [
            (line, self[f"given_{line.position}"], self[f"words_{line.position}"])
            for line in self.lines
        ]

    @property
    def given(self) -> dict[Any, tuple[str, str]]:
        """What was chosen, for the lines where something was."""
        cleaned = self.cleaned_data
        return {
            line: (cleaned[f"given_{line.position}"], cleaned[f"words_{line.position}"])
            for line in self.lines
            if cleaned[f"given_{line.position}"]
        }
