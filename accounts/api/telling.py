"""How rows become answers: by serializers that are made once per thread.

Making a serializer's fields costs more than using them, and its walk to each attribute more than the
attribute.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from operator import attrgetter
from threading import local
from typing import Any

from django.utils.timezone import get_default_timezone
from rest_framework import serializers
from rest_framework.fields import SkipField

_kept = local()
Get = Callable[[Any], Any]
Tell = Callable[[Any], Any]
OF_ITS_OWN = {"format", "timezone"}  # of a field of times


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
    for name, get, tell in _fields(shape):
        try:
            value = get(row)
        except SkipField:
            continue
        said[name] = None if value is None else tell(value)
    return said


def _fields(shape: Any) -> list[tuple[str, Get, Tell]]:
    if "fields_told" not in shape.__dict__:
        shape.fields_told = [
            (field.field_name, _getter(field), _teller(field)) for field in shape._readable_fields
        ]
    fields: list[tuple[str, Get, Tell]] = shape.fields_told
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


def _teller(field: Any) -> Tell:
    """Straight for a value of the usual type; as the field says for any other."""
    by_field: Tell = field.to_representation
    if type(field).to_representation is serializers.Serializer.to_representation:
        return partial(told, field)
    if type(field) is serializers.CharField:
        return lambda value: value if type(value) is str else by_field(value)
    if type(field) is serializers.IntegerField:
        return lambda value: value if type(value) is int else by_field(value)
    if type(field) is serializers.BooleanField:
        return lambda value: value if value is True or value is False else by_field(value)
    if type(field) is serializers.DateTimeField and vars(field).keys().isdisjoint(OF_ITS_OWN):
        return lambda value: _in_our_zone(value) if type(value) is datetime else by_field(value)
    return by_field


def _in_our_zone(time: datetime) -> str:
    """No page and no program has another zone than the service's."""
    return time.astimezone(get_default_timezone()).isoformat()
