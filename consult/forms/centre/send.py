from collections.abc import Iterable
from functools import partial
from typing import Any

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.phone import spaced
from consult.models import Consent
from esanjeevani.rendering.kept import once
from queues.models import Clinic


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
        clinics: Iterable[Clinic],
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
            *[
                (who, words % {"number": spaced(number)})
                for who, words, number in numbers
                if number
            ],
        ]
        self.clinics = {str(one.uid): one for one in clinics}
        self.fields["clinic"].choices = [  # type: ignore[attr-defined]
            (uid, clinic.local_name) for uid, clinic in self.clinics.items()
        ]

    def agreement(self) -> SafeString:
        """What the patient is told, and how and that they agreed."""
        write = partial(self.render, "consult/centre/_agreement.html")
        return write() if self.is_bound else once("agreement", write)

    def clean_clinic(self) -> Clinic | None:
        return self.clinics.get(self.cleaned_data["clinic"])
