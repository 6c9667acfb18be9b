"""Writing one row: what save() and update() do, without the price of composing their SQL each time.

For rows that have no parents and no signals, as all of ours, and that are written on the ways most
people go. The values go through the model's own fields, but for those of the type that a field sends
as it is: that is found out once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Field, Model

from esanjeevani.prepared import prepared_cursor, this_threads_connection

# Of fields that take what they are given: a value of the type.
USUAL: dict[type, Any] = {
    models.CharField: "",
    models.TextField: "",
    models.BooleanField: True,
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
class _Column:
    """One column, and the values that need not go through its field."""

    field: Any
    usual: type | None
    sent_as: type | None  # None: as they are

    def sent(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if type(value) is self.usual:
            return value if self.sent_as is None else self.sent_as(value)
        return self.field.get_db_prep_save(value, connection)

    def of(self, row: Model, connection: Any) -> Any:
        if type(self.field).pre_save is Field.pre_save:
            return self.sent(getattr(row, self.field.attname), connection)
        return self.sent(self.field.pre_save(row, True), connection)


def _column(field: Any, connection: Any) -> _Column:
    target = field.target_field if field.remote_field else field
    usual = USUAL.get(type(target))
    sent = None if usual is None else field.get_db_prep_save(usual, connection)
    if sent is None or sent != usual:
        return _Column(field, None, None)
    # psycopg has numbers of each size, of which Django chooses.
    return _Column(field, type(usual), None if type(sent) is type(usual) else type(sent))


@lru_cache(maxsize=200)
def columns_of(model: type[Model], vendor: str) -> dict[str, _Column]:
    """How each field is sent, but for a key that the database gives; by the names of the columns."""
    del vendor  # of what is sent
    connection = this_threads_connection()
    fields: list[Any] = list(model._meta.local_concrete_fields)
    return {
        field.column: _column(field, connection)
        for field in fields
        if not isinstance(field, models.AutoField)
    }


def insert(row: Model) -> None:
    """Insert this new row and give it its key. Raises IntegrityError as save() does."""
    _insert(row, unless_there=False)


def insert_unless_there(row: Model) -> bool:
    """As insert(); False when a unique constraint says that such a row is there already."""
    return _insert(row, unless_there=True)


def insert_all(rows: Sequence[Model]) -> None:
    """Insert new rows of one model in one statement. They do not learn their keys."""
    if not rows:
        return
    connection = this_threads_connection()
    text, columns = _insert_text(type(rows[0]), connection.vendor, False, False, len(rows))
    with prepared_cursor() as cursor:
        cursor.execute(text, [column.of(row, connection) for row in rows for column in columns])


def _insert(row: Model, *, unless_there: bool) -> bool:
    connection = this_threads_connection()
    text, columns = _insert_text(type(row), connection.vendor, row.pk is not None, unless_there)
    with prepared_cursor() as cursor:
        cursor.execute(text, [column.of(row, connection) for column in columns])
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    row.pk = inserted[0]
    row._state.adding, row._state.db = False, connection.alias
    return True


@lru_cache(maxsize=200)
def _insert_text(
    model: type[Model], vendor: str, with_key: bool, unless_there: bool, how_many: int = 1
) -> tuple[str, list[_Column]]:
    del vendor  # of the names' quotes and of what is sent
    connection = this_threads_connection()
    meta, quote = model._meta, connection.ops.quote_name
    fields = [field for field in meta.local_concrete_fields if with_key or not field.primary_key]
    names = ", ".join(quote(field.column or "") for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    places = ", ".join([row] * how_many)
    key = quote(meta.pk.column or "")
    but = " ON CONFLICT DO NOTHING" if unless_there else ""
    into = f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES {places}"  # noqa: S608
    return f"{into}{but} RETURNING {key}", [_column(field, connection) for field in fields]


def update(model: type[Model], key: Any, changes: dict[str, Any], **where: Any) -> int:
    """Change fields of the row with this key if its other fields are as said; returns how many, 0 or 1."""
    connection = this_threads_connection()
    text, columns = _update_text(model, connection.vendor, tuple(changes), tuple(where))
    held = [*changes.values(), key, *where.values()]
    known = [value.pk if isinstance(value, Model) else value for value in held]
    values = [column.sent(value, connection) for column, value in zip(columns, known, strict=True)]
    with prepared_cursor() as cursor:
        cursor.execute(text, values)
        return int(cursor.rowcount)


@lru_cache(maxsize=200)
def _update_text(
    model: type[Model], vendor: str, changes: tuple[str, ...], where: tuple[str, ...]
) -> tuple[str, list[_Column]]:
    del vendor
    connection = this_threads_connection()
    meta, quote = model._meta, connection.ops.quote_name
    fields: list[Any] = [meta.get_field(name) for name in changes]
    conditions: list[Any] = [meta.pk, *(meta.get_field(name) for name in where)]
    sets = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    key_is = " AND ".join(f"{quote(field.column)} = %s" for field in conditions)
    text = f"UPDATE {quote(meta.db_table)} SET {sets} WHERE {key_is}"  # noqa: S608
    return text, [_column(field, connection) for field in [*fields, *conditions]]
