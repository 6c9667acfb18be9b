"""Writing one row: what save() and update() do, without the price of composing their SQL each time.

For rows that have no parents and no signals, as all of ours, and that are written on the ways most
people go. The values go through the model's own fields where they must (esanjeevani/sql/adapters.py).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from esanjeevani.postgresql.statements import Asked
from esanjeevani.sql.adapters import Column, column_of, key_or_value
from esanjeevani.sql.prepared import ask, this_threads_connection


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
    ask(text, [column.of(row, connection) for row in rows for column in columns], connection)


def insert_asked(row: Model, *, unless_there: bool = False) -> Asked:
    """insert() as it is asked together with others; the row does not learn its key."""
    connection = this_threads_connection()
    text, columns = _insert_text(type(row), connection.vendor, row.pk is not None, unless_there)
    return text, [column.of(row, connection) for column in columns]


def _insert(row: Model, *, unless_there: bool) -> bool:
    inserted, _rowcount = ask(*insert_asked(row, unless_there=unless_there))
    if not inserted:
        return False
    is_inserted(row, inserted[0][0])
    return True


def and_insert(row: Model | None, text: str, values: Sequence[Any], connection: Any) -> Asked:
    """A SELECT, and this new row inserted by the same statement. It does not learn its key."""
    if row is None:
        return text, values
    if connection.vendor != "postgresql":  # which alone changes rows inside of a WITH
        insert(row)
        return text, values
    inserts, columns = _insert_text(type(row), connection.vendor, False, False)
    of_row = [column.of(row, connection) for column in columns]
    return _with_it(inserts, text), [*of_row, *values]


@lru_cache(maxsize=200)
def _with_it(inserts: str, text: str) -> str:
    """Put together once: a text that is the same one is found among the prepared without being read."""
    return f"WITH with_it AS ({inserts}) {text}"


def is_inserted(row: Model, key: Any) -> None:
    """The row is in the table now, with this key."""
    row.pk = key
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@lru_cache(maxsize=200)
def _insert_text(
    model: type[Model], vendor: str, with_key: bool, unless_there: bool, how_many: int = 1
) -> tuple[str, list[Column]]:
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
    return f"{into}{but} RETURNING {key}", [column_of(field, connection) for field in fields]


def update(model: type[Model], key: Any, changes: dict[str, Any], **where: Any) -> int:
    """Change fields of the row with this key if its other fields are as said; returns how many, 0 or 1."""
    connection = this_threads_connection()
    text, columns = _update_text(model, connection.vendor, tuple(changes), tuple(where))
    held = [*changes.values(), key, *where.values()]
    known = [key_or_value(value) for value in held]
    values = [column.sent(value, connection) for column, value in zip(columns, known, strict=True)]
    return ask(text, values, connection).rowcount


@lru_cache(maxsize=200)
def _update_text(
    model: type[Model], vendor: str, changes: tuple[str, ...], where: tuple[str, ...]
) -> tuple[str, list[Column]]:
    del vendor
    connection = this_threads_connection()
    meta, quote = model._meta, connection.ops.quote_name
    fields: list[Any] = [meta.get_field(name) for name in changes]
    conditions: list[Any] = [meta.pk, *(meta.get_field(name) for name in where)]
    sets = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    key_is = " AND ".join(f"{quote(field.column)} = %s" for field in conditions)
    text = f"UPDATE {quote(meta.db_table)} SET {sets} WHERE {key_is}"  # noqa: S608
    return text, [column_of(field, connection) for field in [*fields, *conditions]]
