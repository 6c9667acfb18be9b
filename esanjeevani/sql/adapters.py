"""How the values of a column are adapted for the database: as its field says, asked only where it matters.

For a value of the type that a field sends as it is that is found out once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Field, Model
from django.utils.functional import cached_property

from esanjeevani.sql.prepared import this_threads_connection

# Of fields that send what they are given: a value of the type.
USUAL: dict[type, Any] = {
    models.CharField: "",
    models.TextField: "",
    models.BooleanField: True,
    models.DateField: date(2000, 1, 1),
    models.DateTimeField: datetime(2000, 1, 1, tzinfo=UTC),
    models.UUIDField: UUID(int=0),
    **dict.fromkeys(
        [
            models.BigAutoField,
            models.SmallIntegerField,
            models.IntegerField,
            models.PositiveSmallIntegerField,
            models.PositiveIntegerField,
        ],
        1,
    ),
}


@dataclass(frozen=True)
class Column:
    """One column, and the values that need not go through its field."""

    field: Any
    usual: type | None
    sent_as: Callable[[Any], Any] | None  # None: as they are

    def sent(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if type(value) is self.usual:
            return value if self.sent_as is None else self.sent_as(value)
        return self.field.get_db_prep_save(value, connection)

    def of(self, row: Model, connection: Any) -> Any:
        """As a new row has it."""
        if self._is_taken_as_it_is:
            return self.sent(row.__dict__[self.field.attname], connection)
        return self.sent(self.field.pre_save(row, True), connection)

    @cached_property
    def _is_taken_as_it_is(self) -> bool:
        """Fields may put another value into a row before it is saved: a time that is now, a file's name."""
        own = type(self.field).pre_save
        if own is models.DateField.pre_save or own is models.DateTimeField.pre_save:
            return not (self.field.auto_now or self.field.auto_now_add)
        return own is Field.pre_save


def _with_its_zone(time: datetime) -> datetime:
    """One without would be taken for the zone of the connection."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no zone")
    return time


def _without_interface(address: str) -> str:
    """fe80::1%eth0 is an address on one interface, which PostgreSQL has no place for."""
    return address.partition("%")[0] if "%" in address else address


def column_of(field: Any, connection: Any) -> Column:
    target = field.target_field if field.remote_field else field
    if type(target) is models.GenericIPAddressField and connection.vendor == "postgresql":
        return Column(field, str, _without_interface)  # which reads it itself
    usual = USUAL.get(type(target))
    sent = None if usual is None else field.get_db_prep_save(usual, connection)
    if sent is None or sent != usual:
        return Column(field, None, None)
    if type(usual) is datetime:
        return Column(field, datetime, _with_its_zone)
    # psycopg has numbers of each size, of which Django chooses.
    return Column(field, type(usual), None if type(sent) is type(usual) else type(sent))


def key_or_value(held: Any) -> Any:
    """What stands in the column: of a row its key."""
    return held.pk if isinstance(held, Model) else held


@lru_cache(maxsize=200)
def columns_of(model: type[Model], vendor: str) -> dict[str, Column]:
    """How each field is sent, but for a key that the database gives; by the names of the columns."""
    del vendor  # of what is sent
    connection = this_threads_connection()
    fields: list[Any] = list(model._meta.local_concrete_fields)
    return {
        field.column: column_of(field, connection)
        for field in fields
        if not isinstance(field, models.AutoField)
    }
