"""What a doctor types about earlier care and emergencies, and a patient about a refill."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.models import EmergencyReferral, InPersonVisit, PaperPrescription, RefillRequest
from consult.models.history import six_months_before


def recent_day(day: date) -> date:
    """Not in the future, and not longer ago than the guidelines count. Raises ValidationError."""
    today = timezone.localdate()
    if day > today:
        raise forms.ValidationError(_("This day lies in the future."))
    if day < six_months_before(today):
        raise forms.ValidationError(_("That is more than six months ago; it does not count."))
    return day


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class VisitForm(forms.ModelForm):
    """A visit in person of this doctor with this patient."""

    confirmed = forms.BooleanField(
        label=gettext_lazy("I saw this patient in person myself, for the same condition as today.")
    )

    class Meta:
        model = InPersonVisit
        fields = ["condition", "seen_on", "place", "medicines"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen_on"].widget = _date_input()

    def clean_seen_on(self) -> date:
        return recent_day(self.cleaned_data["seen_on"])


class PaperForm(forms.ModelForm):
    """A medicine on an earlier prescription that the doctor has seen."""

    class Meta:
        model = PaperPrescription
        fields = ["generic", "written_on", "written_by"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["written_on"].widget = _date_input()
        self.fields["generic"].widget.attrs |= {"autocomplete": "off", "data-drug": ""}

    def clean_written_on(self) -> date:
        return recent_day(self.cleaned_data["written_on"])


class EmergencyForm(forms.ModelForm):
    """How an emergency ends."""

    told = forms.BooleanField(label=gettext_lazy("I told the patient to go in person, now."))

    class Meta:
        model = EmergencyReferral
        fields = ["first_aid", "refer_to"]
        widgets = {"first_aid": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_aid", "refer_to"):
            self.fields[name].required = True


class RefillForm(forms.ModelForm):
    """What the patient tells the doctor who is to go on with the medicines."""

    consent = forms.BooleanField(
        label=gettext_lazy("I agree to treatment by a doctor over the internet."),
        error_messages={
            "required": gettext_lazy("Without your consent no doctor can treat you here.")
        },
    )

    class Meta:
        model = RefillRequest
        fields = ["words"]
        widgets = {"words": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "words": gettext_lazy(
                "Better or worse? Anything new? Did the medicines agree with you?"
            )
        }
