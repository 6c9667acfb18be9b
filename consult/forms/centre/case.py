from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Patient
from consult.forms.centre.vitals import VITAL_FIELDS, bound_vitals, check_pressure, vitals_of
from consult.forms.consultation import CHILDBEARING_AGES
from consult.models import Case, Consultation
from esanjeevani.rendering.forms import WordsForm, share_fields
from esanjeevani.rendering.kept import once

MOST_REVISIONS = 2_000_000_000  # a number more still fits into its column


@share_fields
class CentreCaseForm(WordsForm):
    """The case as a health worker writes it, vital signs included.

    As a draft it may have gaps: what is needed to send it, the gates say when it is sent.
    """

    template_name = "consult/centre/_case_fields.html"
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    # Of a page that saves itself: what it sent before, and what this makes (see save_case).
    sent_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    new_revision = forms.IntegerField(
        widget=forms.HiddenInput, required=False, min_value=1, max_value=MOST_REVISIONS
    )

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
        self.initial["revision"] = self.instance.revision
        if patient.sex == Patient.Sex.MALE or patient.age not in CHILDBEARING_AGES:
            del self.fields["is_pregnant"], self.fields["lmp"]
        self.fields |= VITAL_FIELDS

    def clean_lmp(self) -> Any:
        day = self.cleaned_data["lmp"]
        if day and day > timezone.localdate():
            raise forms.ValidationError(_("This day lies in the future."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        check_pressure(self, cleaned)
        return cleaned

    @property
    def revisions(self) -> dict[str, Any]:
        """As save_case asks for them."""
        named = ("revision", "sent_revision", "new_revision")
        return {"revision": 0} | {
            name: self.cleaned_data[name] for name in named if name in self.cleaned_data
        }

    @property
    def words(self) -> dict[str, Any]:
        """The words of the case as typed; valid ones only."""
        return {name: self.cleaned_data[name] for name in Case.WORDS if name in self.cleaned_data}

    @property
    def vitals(self) -> dict[str, Decimal]:
        return vitals_of(self)

    @property
    def vital_fields(self) -> list[Any]:
        return bound_vitals(self)

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        """A case of which nothing is written looks the same for everybody."""
        write = partial(super().render, *args, **kwargs)
        if not self._is_untouched:
            return write()
        return once("case, of a pregnancy too" if "lmp" in self.fields else "case", write)

    @property
    def _is_untouched(self) -> bool:
        written = self.is_bound or self.instance.revision or any(self.initial.values())
        return not written


# A draft may have gaps: these two are asked for when it is sent.
for name in ("complaint", "since"):
    CentreCaseForm.base_fields[name].required = False
