"""How rows become answers: by serializers that are made once per thread.

Making a serializer's fields costs more than using them, and its walk to each attribute more than the
attribute.
"""

from collections.abc import Callable
from operator import attrgetter
from threading import local
from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField

_kept = local()
Get = Callable[[Any], Any]


def shape_of(kind: type[serializers.Serializer[Any]], **context: Any) -> Any:
    """The serializer of this thread. It is asked by run_validation() and told(), which keep nothing."""
    shapes = _kept.__dict__.setdefault("shapes", {})
    if kind not in shapes:
        shapes[kind] = kind()
    shapes[kind]._context = context
    return shapes[kind]


def told(shape: Any, row: Any) -> dict[str, Any]:
    """What `shape.to_representation(row)` says."""
    said: dict[str, Any] = {}
    for field, get in _fields(shape):
        try:
            value = get(row)
        except SkipField:
            continue
        said[field.field_name] = None if value is None else field.to_representation(value)
    return said


def _fields(shape: Any) -> list[tuple[Any, Get]]:
    if "fields_told" not in shape.__dict__:
        shape.fields_told = [(field, _getter(field)) for field in shape._readable_fields]
    fields: list[tuple[Any, Get]] = shape.fields_told
    return fields


def _getter(field: Any) -> Get:
    """Straight to the attribute; DRF's own way where there is none, it is a method, or a default holds."""
    if field.source == "*" or type(field).get_attribute is not serializers.Field.get_attribute:
        return field.get_attribute
    straight = attrgetter(field.source)

    def get(row: Any) -> Any:
        try:
            value = straight(row)
        except AttributeError:
            return field.get_attribute(row)
        return field.get_attribute(row) if callable(value) else value

    return get
