"""What the admin pages of all three apps share."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts.actions import record
from accounts.models import Patient, User


def officer(request: HttpRequest) -> User:
    """Who is at work; the admin lets nobody in who is not signed in."""
    return cast("User", request.user)


class AuditedReads(admin.ModelAdmin):
    """Patient data: whoever opens a row or a list of it in the admin is written down."""

    def patient_of(self, row: Any) -> Patient | None:
        """Whose data the row is, where it is one person's."""
        return None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            record("admin.read", row, by=officer(request), patient=self.patient_of(row))
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        record("admin.list", str(self.opts.model_name), by=officer(request))
        return response


class NamedForm(forms.ModelForm):
    """A name in English and, as JSON, in other languages."""

    class Meta:
        labels = {"names": "In other languages"}
        widgets = {"names": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})}

    def clean_names(self) -> dict[str, str]:
        names = self.cleaned_data["names"] or {}
        if not isinstance(names, dict) or not all(map(_is_words, names.values())):
            raise ValidationError('Write it like this: {"hi": "केरल"}')
        return names


class PlaceForm(NamedForm):
    """Something with a state and, in it, a district."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        district, state = cleaned.get("district"), cleaned.get("state")
        if district and state and district.state_id != state.pk:
            self.add_error("district", ValidationError(f"This district is not in {state}."))
        return cleaned


def _is_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


class NamedAdmin(admin.ModelAdmin):
    """Rows with a name in several languages."""

    form = NamedForm

    @admin.display(description="In other languages")
    def other_names(self, row: Any) -> str:
        return ", ".join(row.names.values())


def short(text: str, length: int = 80) -> str:
    """The first words of a longer text, for a list."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
