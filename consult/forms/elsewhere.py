"""The shape of what a doctor asks other hospitals for."""

from datetime import date, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

USUALLY = timedelta(days=365)


def _a_year_ago() -> date:
    return timezone.localdate() - USUALLY


class ElsewhereForm(forms.Form):
    since = forms.DateField(
        label=gettext_lazy("Records since"),
        initial=_a_year_ago,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def clean_since(self) -> date:
        since: date = self.cleaned_data["since"]
        if since > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return since
