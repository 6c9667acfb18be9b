"""The fields of the doctor's note with what is noted in them, without a form for each page."""

from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from consult.forms.consultation import NoteForm
from consult.models import Note
from esanjeevani.rendering.kept import in_each_language

VALUE = "value-stand-in"
TICK = "is_provisional"


def note_fields(note: Note | None) -> dict[str, SafeString]:
    """By name, as the page shows them before anybody typed in them."""
    blank = _blank()
    shown = note or Note()
    fields = {name: _filled(halves, getattr(shown, name)) for name, halves in blank.items()}
    return fields | {TICK: _tick(shown.is_provisional)}


def typed_fields(form: NoteForm) -> dict[str, SafeString]:
    """As they were typed, with what is not right."""
    return {name: form[name].as_field_group() for name in form.fields}


def _filled(halves: tuple[str, str], value: Any) -> SafeString:
    before, after = halves
    words = "" if value is None else escape(value)
    return mark_safe(f"{before}{words}{after}")  # noqa: S308 - rendered, and escaped


@in_each_language()
def _blank() -> dict[str, tuple[str, str]]:
    """Each field but the tick, before and after its value."""
    form = NoteForm(initial=dict.fromkeys(NoteForm.Meta.fields, VALUE))
    names = [name for name in form.fields if name != TICK]
    halves = {name: str(form[name].as_field_group()).split(VALUE) for name in names}
    return {name: (before, after) for name, (before, after) in halves.items()}


@in_each_language()
def _tick(is_set: bool) -> SafeString:
    return NoteForm(initial={TICK: is_set})[TICK].as_field_group()
