from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from consult.models import Dispensing, FollowUp, Prescription, PrescriptionLine
from consult.of_consultation import LINES


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

    def __init__(
        self,
        *args: Any,
        prescription: Prescription,
        lines: list[PrescriptionLine] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines = LINES.all(prescription=prescription.pk) if lines is None else lines
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

    def clean(self) -> dict[str, Any]:
        """Words without a choice would be lost, and nothing chosen notes nothing."""
        cleaned = super().clean() or self.cleaned_data
        chosen = {line.position for line in self.lines if cleaned.get(f"given_{line.position}")}
        worded = {line.position for line in self.lines if cleaned.get(f"words_{line.position}")}
        if not chosen or worded - chosen:
            raise forms.ValidationError("Choose whether it was given.", code="not_chosen")
        return cleaned

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
