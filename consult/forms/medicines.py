"""The medicines of a prescription, row by row."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any, NamedTuple

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from consult.actions import Line
from consult.models import Prescription, PrescriptionLine
from consult.rules.dose import frequency_of
from esanjeevani.rendering.kept import in_each_language

PREFIX = "lines"
ROWS_KEPT = 1_000  # as HTML, and as typed: what doctors prescribe is often the same
LONGEST_KEPT = 600  # letters of a row as typed


class LineForm(forms.ModelForm):
    """One medicine. A row without a name is an empty row."""

    class Meta:
        model = PrescriptionLine
        fields = [
            "generic", "form", "strength", "dose", "frequency", "days", "quantity",
            "instructions",
        ]  # fmt: skip
        help_texts = {"dose": ""}  # its placeholder says it; a row has no room

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A row that was filled once may be emptied again.
        super().__init__(*args, **kwargs | {"empty_permitted": True})
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = field.label or name
            field.widget.attrs.pop("required", None)
        self.fields["days"].min_value = 1  # type: ignore[attr-defined]
        self.fields["days"].widget.attrs |= {"min": 1, "max": 180, "inputmode": "numeric"}
        self.fields["generic"].required = False
        self.fields["generic"].widget.attrs |= {"autocomplete": "off", "data-drug": ""}
        self.fields["dose"].widget.attrs["placeholder"] = "1-0-1"
        self.fields["frequency"].required = False  # "1-0-1" says it
        self.fields["quantity"].max_value = 9999  # type: ignore[attr-defined]

    @property
    def problems(self) -> list[str]:
        """What is not right in this row: each sentence once, with the fields it is about."""
        fields: dict[str, list[str]] = {}
        for name, errors in self.errors.items():
            for error in errors:
                fields.setdefault(str(error), []).append(str(self.fields[name].label))
        return [f"{', '.join(labels)}: {error}" for error, labels in fields.items()]

    def clean_days(self) -> int:
        days = int(self.cleaned_data["days"])
        if not 1 <= days <= 180:
            raise forms.ValidationError(_("Between 1 and 180 days."))
        return days

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("generic", "").strip() and self.has_changed():
            self.add_error("generic", _("Write the generic name, or empty the row."))
        if "dose" in cleaned and self.has_changed():
            cleaned["frequency"] = frequency_of(cleaned["dose"]) or cleaned.get("frequency", "")
            if not cleaned["frequency"]:
                self.add_error("frequency", _("Say how often, or write the dose like 1-0-1."))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """Days, which clean_days() looks at: the database would be asked for the table's constraint."""
        return super()._get_validation_exclusions() | {"days"}  # type: ignore[misc]


class TypedRows(forms.BaseFormSet):
    """The rows as they were typed."""

    @property
    def rows(self) -> list[SafeString]:
        return [_row(form) for form in self]

    @property
    def blank_row(self) -> SafeString:
        return _html(None)


LineFormSet = forms.formset_factory(
    LineForm,
    formset=TypedRows,
    extra=2,
    max_num=Prescription.MAX_LINES,
    validate_max=True,
    absolute_max=60,
)


class DraftRows:
    """The rows of a draft and the empty ones after it, for a page on which nobody has typed yet.

    What TypedRows shows, without a form for each row: a medicine is rendered once.
    """

    non_form_errors: list[str] = []

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    @property
    def management_form(self) -> SafeString:
        return _management(len(self.lines))[0]

    @property
    def rows(self) -> list[SafeString]:
        blank = _management(len(self.lines))[1] - len(self.lines)
        every = [_html(line) for line in self.lines] + [_html(None)] * blank
        return [_numbered(row, number) for number, row in enumerate(every)]

    @property
    def blank_row(self) -> SafeString:
        return _html(None)


def _row(form: forms.BaseForm) -> SafeString:
    return render_to_string("consult/_medicine.html", {"form": form})


@in_each_language(ROWS_KEPT)
def _html(line: Line | None) -> SafeString:
    initial = asdict(line) if line else None
    return _row(
        LineForm(initial=initial, prefix=f"{PREFIX}-__prefix__", use_required_attribute=False)
    )


def _numbered(row: SafeString, number: int) -> SafeString:
    return mark_safe(row.replace(f"{PREFIX}-__prefix__-", f"{PREFIX}-{number}-"))  # noqa: S308 - rendered


@lru_cache
def _management(drafted: int) -> tuple[SafeString, int]:
    """What says how many rows there are, and how many that is."""
    formset = LineFormSet(initial=[{}] * drafted, prefix=PREFIX)
    return str(formset.management_form), formset.total_form_count()  # type: ignore[return-value]


class TypedLines(NamedTuple):
    """What is complete of the medicines on the page; LineFormSet says what is not right with the rest."""

    complete: list[Line]
    is_whole: bool


def typed_lines(data: Mapping[str, str]) -> TypedLines | None:
    """The medicines of the page's rows, empty ones left out; None where there are no rows, or too many.

    The page sends all rows at each pause, and mostly one of them has changed: each is looked at once.
    """
    total = data.get(f"{PREFIX}-TOTAL_FORMS", "")
    if not (total.isascii() and total.isdigit() and len(total) < 3):
        return None
    if int(total) > Prescription.MAX_LINES:
        return None
    rows = [_typed(data, number) for number in range(int(total))]
    read = [_line(row) if _is_short(row) else _read(row) for row in rows if any(row)]
    complete = [line for line in read if line is not None]
    return TypedLines(complete, is_whole=len(complete) == len(read))


def _typed(data: Mapping[str, str], number: int) -> tuple[str, ...]:
    return tuple(data.get(f"{PREFIX}-{number}-{name}", "").strip() for name in LineForm.Meta.fields)


def _is_short(row: tuple[str, ...]) -> bool:
    return sum(map(len, row)) <= LONGEST_KEPT


def _read(row: tuple[str, ...]) -> Line | None:
    """None of a row that is not complete yet."""
    words = dict(zip(LineForm.Meta.fields, row, strict=True))
    form = LineForm(words, use_required_attribute=False)
    return Line(**form.cleaned_data) if form.is_valid() else None


_line = lru_cache(maxsize=ROWS_KEPT)(_read)
