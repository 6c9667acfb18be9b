"""Where people live: a state, and one of its districts."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django import forms
from django.db.models import PositiveIntegerField
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext_lazy

from accounts.models import District
from esanjeevani.sql.composed import Composed

DISTRICT = Composed(
    lambda state, code: District.objects.select_related("state").filter(state=state, pk=code),
    state=PositiveIntegerField(),
    code=PositiveIntegerField(),
)


def state_code(typed: str) -> int:
    """An LGD code of at most five digits, as the column holds; 0, which is no state, otherwise."""
    return int(typed) if typed.isdecimal() and len(typed) <= 5 else 0


class _AllAtOnce(ModelChoiceIterator):
    """The rows in one question: Django opens a cursor, reads it and closes it."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for row in self.queryset.all():
            yield self.choice(row)


class PlaceSelect(forms.Select):
    """Plain options, none with attributes of its own: Django asks a dozen things of each."""

    def optgroups(
        self, name: str, value: list[str], attrs: dict[str, Any] | None = None
    ) -> list[tuple[str | None, list[dict[str, Any]], int | None]]:
        options = [
            {
                "value": str(key),
                "label": label,
                "attrs": {"selected": True} if str(key) in value else {},
            }
            for key, label in self.choices
        ]
        return [(None, options, 0)]


class PlaceField(forms.ModelChoiceField):
    """A row that was looked up with the form is not asked for again."""

    widget = PlaceSelect
    iterator = _AllAtOnce
    known: Any = None

    def to_python(self, value: Any) -> Any:
        if self.known is not None and str(self.known.pk) == str(value):
            return self.known
        return super().to_python(value)


class DistrictField(PlaceField):
    """The districts of one state: all of India's would weigh more than the page."""

    default_error_messages = {"invalid_choice": gettext_lazy("This district is in another state.")}

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.local_name)


@lru_cache(maxsize=64)
def districts_of(state: int) -> DistrictField:
    """The same one for all forms with this state: it asks for its rows where they are shown."""
    return DistrictField(
        queryset=District.objects.filter(state=state),
        required=False,
        label=gettext_lazy("District"),
    )
