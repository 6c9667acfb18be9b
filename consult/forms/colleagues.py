"""The shape of what doctors ask of health workers, of each other and of hospitals."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Facility
from consult.forms.consultation import ClinicField
from consult.models import Instruction, Opinion, Referral


class InstructionForm(forms.ModelForm):
    class Meta:
        model = Instruction
        fields = ["words"]
        widgets = {
            "words": forms.TextInput(attrs={"list": "usual-instructions", "autocomplete": "off"})
        }


class OpinionForm(forms.ModelForm):
    clinic = ClinicField(label=gettext_lazy("Which specialist?"))

    class Meta:
        model = Opinion
        fields = ["clinic", "question"]
        widgets = {"question": forms.Textarea(attrs={"rows": 2})}


class OpinionAnswerForm(forms.ModelForm):
    answer = forms.CharField(
        label=gettext_lazy("Your opinion"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    class Meta:
        model = Opinion
        fields = ["answer"]


class TransferForm(forms.Form):
    clinic = ClinicField(label=gettext_lazy("Who takes over?"))
    words = forms.CharField(
        label=gettext_lazy("What the patient is told"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    told = forms.BooleanField(
        label=gettext_lazy("I have told the patient that another doctor takes over."),
        error_messages={"required": gettext_lazy("Tell the patient first: care is handed over.")},
    )


class ReferralForm(forms.ModelForm):
    facility = forms.ModelChoiceField(
        Facility.objects.none(), label=gettext_lazy("Where to?"), required=False
    )

    class Meta:
        model = Referral
        fields = ["facility", "place", "speciality", "urgency", "reason"]
        labels = {"speciality": gettext_lazy("Speciality")}
        widgets = {"reason": forms.Textarea(attrs={"rows": 2})}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("facility") and not cleaned.get("place", "").strip():
            self.add_error("facility", _("Choose a facility or write another place."))
        return cleaned
