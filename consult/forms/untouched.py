"""Forms in which nobody has typed yet: the same HTML for everybody whom they offer the same choices."""

from functools import lru_cache

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import get_language

FORMS_KEPT = 500  # as HTML: of each form, language and list of places to choose from
Choices = tuple[tuple[object, str], ...]


def untouched(form: type[forms.BaseForm], prefix: str, **choices: Choices) -> SafeString:
    """The form's HTML; a form with mistakes goes to the page instead. Not for one with initial values."""
    offered = tuple(sorted(choices.items()))
    return _html(form, prefix, get_language() or "en", offered)  # type: ignore[arg-type]


@lru_cache(maxsize=FORMS_KEPT)
def _html(
    form_class: type[forms.BaseForm],
    prefix: str,
    language: str,
    choices: tuple[tuple[str, Choices], ...],
) -> SafeString:
    del language  # the one in force
    form = form_class(prefix=prefix)
    for name, values in choices:
        form.fields[name].choices = [("", "---------"), *values]  # type: ignore[attr-defined]
    return form.render()
