"""Writing one row: what save() and update() do, without the price of composing their SQL each time.

For rows that have no parents and no signals, as all of ours, and that are written on the ways most
people go. The values go through the model's own fields.
"""

from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, Model

from esanjeevani.prepared import prepared_cursor


def insert(row: Model) -> None:
    """Insert this new row and give it its key. Raises IntegrityError as save() does."""
    _insert(row, unless_there=False)


def insert_unless_there(row: Model) -> bool:
    """As insert(); False when a unique constraint says that such a row is there already."""
    return _insert(row, unless_there=True)


def _insert(row: Model, *, unless_there: bool) -> bool:
    here = connections[DEFAULT_DB_ALIAS]  # once: `connection` looks for it at each attribute
    text, fields = _insert_text(type(row), here.vendor, row.pk is not None, unless_there)
    values = [field.get_db_prep_save(field.pre_save(row, True), here) for field in fields]
    with prepared_cursor() as cursor:
        cursor.execute(text, values)
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    row.pk = inserted[0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


@lru_cache(maxsize=200)
def _insert_text(
    model: type[Model], vendor: str, with_key: bool, unless_there: bool
) -> tuple[str, list["Field[Any, Any]"]]:
    del vendor  # of the names' quotes
    meta, quote = model._meta, connection.ops.quote_name
    fields = [field for field in meta.local_concrete_fields if with_key or not field.primary_key]
    names = ", ".join(quote(field.column or "") for field in fields)
    places = ", ".join(["%s"] * len(fields))
    key = quote(meta.pk.column or "")
    but = " ON CONFLICT DO NOTHING" if unless_there else ""
    into = f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
    return f"{into}{but} RETURNING {key}", fields


def update(model: type[Model], key: Any, changes: dict[str, Any], **where: Any) -> int:
    """Change fields of the row with this key if its other fields are as said; returns how many, 0 or 1."""
    quote = connection.ops.quote_name
    key_is = {"pk": key, **where}
    sets, new = _pairs(model, changes)
    conditions, old = _pairs(model, key_is)
    text = f"UPDATE {quote(model._meta.db_table)} SET {', '.join(sets)} WHERE {' AND '.join(conditions)}"  # noqa: S608
    with prepared_cursor() as cursor:
        cursor.execute(text, new + old)
        return int(cursor.rowcount)


def _pairs(model: type[Model], values: dict[str, Any]) -> tuple[list[str], list[Any]]:
    meta, here = model._meta, connections[DEFAULT_DB_ALIAS]
    texts, known = [], []
    for name, value in values.items():
        field: Any = meta.pk if name == "pk" else meta.get_field(name)
        texts.append(f"{here.ops.quote_name(field.column)} = %s")
        held = value.pk if isinstance(value, Model) else value
        known.append(field.get_db_prep_save(held, here))
    return texts, known
