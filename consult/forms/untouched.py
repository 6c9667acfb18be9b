"""Forms in which nobody has typed yet: the same HTML for everybody whom they offer the same choices."""

from django import forms
from django.db.models.fields import BLANK_CHOICE_DASH
from django.utils.safestring import SafeString

from esanjeevani.rendering.kept import in_each_language

FORMS_KEPT = 500  # as HTML: of each form, language and list of places to choose from
Choices = tuple[tuple[object, str], ...]


def untouched(form: type[forms.BaseForm], prefix: str, **choices: Choices) -> SafeString:
    """The form's HTML; a form with mistakes goes to the page instead. Not for one with initial values."""
    offered = tuple(sorted(choices.items()))
    return _html(form, prefix, offered)


@in_each_language(FORMS_KEPT)
def _html(
    form_class: type[forms.BaseForm], prefix: str, choices: tuple[tuple[str, Choices], ...]
) -> SafeString:
    form = form_class(prefix=prefix)
    for name, values in choices:
        form.fields[name].choices = [*BLANK_CHOICE_DASH, *values]  # type: ignore[attr-defined]
    return form.render()
