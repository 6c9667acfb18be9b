"""What a program sends, by the serializers that describe it: at once where each value is a usual one.

DRF asks each field a dozen things before it takes a value. Here a text, a number, a choice as most
programs send it is taken straight; where one value is any other, DRF reads all of it and finds the words.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
)
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

Take = Callable[[Any], Any]
UNUSUAL: Any = object()
LENGTH, VALUE = {MaxLengthValidator}, {MinValueValidator, MaxValueValidator}
# What they look for stands in no text of a JSON that was read (esanjeevani/strict_json.py).
NO_TEXT = {ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator}


class Input(serializers.Serializer[Any]):
    """What a client sends: of the right types, and nothing that is not asked for."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            words = [_("There is no field of this name.")]
            raise ValidationError(dict.fromkeys(sorted(unknown), words))
        return super().to_internal_value(data)


class _Way(NamedTuple):
    """How one field is read."""

    name: str
    take: Take
    default: Any  # `empty` where it is left out
    is_required: bool


def understood(shape: Any, said: Any) -> Any:
    """What `shape.run_validation(said)` makes of it. Raises ValidationError."""
    found = _at_once(shape, said) if type(said) is dict else None
    return shape.run_validation(said) if found is None else found


def _at_once(shape: Any, said: dict[str, Any]) -> dict[str, Any] | None:
    found, left = {}, len(said)
    for name, take, default, is_required in _ways(shape):
        if name in said:
            value, left = take(said[name]), left - 1
            if value is UNUSUAL:
                return None
            found[name] = value
        elif is_required:
            return None
        elif default is not empty:
            found[name] = default
    return None if left else found  # which are fields of other names


def _ways(shape: Any) -> list[_Way]:
    if "ways" not in shape.__dict__:
        fields = shape._writable_fields if _reads_fields_alone(shape) else [None]
        shape.ways = [_way(field) for field in fields]
    ways: list[_Way] = shape.ways
    return ways


def _reads_fields_alone(shape: Any) -> bool:
    """A serializer may have rules of its own."""
    kind = type(shape)
    has_own = any(hasattr(kind, f"validate_{name}") for name in shape.fields)
    is_ours = kind.to_internal_value is Input.to_internal_value
    return is_ours and kind.validate is Input.validate and not (has_own or shape.validators)


def _way(field: Any) -> _Way:
    if field is None or field.source != field.field_name or _is_made(field.default):
        return _Way("", _never, empty, is_required=True)
    take = TAKEN.get(type(field), _never_of)(field)
    return _Way(field.field_name, take, field.default, field.required)


def _is_made(default: Any) -> bool:
    return default is not empty and callable(default)


def _never(value: Any) -> Any:
    return UNUSUAL


def _never_of(field: Any) -> Take:
    return _never


def _checks_no_more_than(field: Any, known: set[Any]) -> bool:
    return {type(one) for one in field.validators} <= known


def _text(field: serializers.CharField) -> Take:
    if not _checks_no_more_than(field, LENGTH | NO_TEXT):
        return _never
    most = field.max_length or float("inf")

    def take(value: Any) -> Any:
        if type(value) is not str:
            return UNUSUAL
        text = value.strip() if field.trim_whitespace else value
        is_usual = len(text) <= most if text else field.allow_blank
        return text if is_usual else UNUSUAL

    return take


def _number(field: serializers.IntegerField) -> Take:
    if not _checks_no_more_than(field, VALUE):
        return _never
    least = float("-inf") if field.min_value is None else field.min_value
    most = float("inf") if field.max_value is None else field.max_value
    return lambda value: value if type(value) is int and least <= value <= most else UNUSUAL


def _choice(field: serializers.ChoiceField) -> Take:
    choices = {name: choice for name, choice in field.choice_strings_to_values.items() if name}
    return lambda value: choices.get(value, UNUSUAL) if type(value) is str else UNUSUAL


def _yes_or_no(field: serializers.BooleanField) -> Take:
    return lambda value: value if value is True or value is False else UNUSUAL


def _id(field: serializers.UUIDField) -> Take:
    def take(value: Any) -> Any:
        try:
            return UUID(value) if type(value) is str else UNUSUAL
        except ValueError:
            return UNUSUAL

    return take


TAKEN: dict[Any, Callable[[Any], Take]] = {
    serializers.CharField: _text,
    serializers.IntegerField: _number,
    serializers.ChoiceField: _choice,
    serializers.BooleanField: _yes_or_no,
    serializers.UUIDField: _id,
}
