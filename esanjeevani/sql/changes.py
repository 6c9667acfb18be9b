"""Rows that change together, all of them or none, in one statement: compare-and-set of several rows.

Two rows of which one says what the other means, a place in a line and whose it is, are moved by two
UPDATEs in a transaction: four ways to PostgreSQL and back. Here each row is first held as it must be,
in the order given; whatever changes does so only where the last of them was, and the statement ends
the transaction (docs/decisions/0056).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Model

from esanjeevani.sql.adapters import Column, columns_of, key_or_value
from esanjeevani.sql.prepared import this_threads_connection
from esanjeevani.sql.steps import Others, Steps, Values, all_values, and_hold, unlinked, with_rows

Names = tuple[str, ...]
Shape = tuple[type[Model], Names, Names]


class Change(NamedTuple):
    """New values of a row by the names of its fields, and what others must be until then."""

    row: Model
    to: Values
    where: Values

    def is_made(self) -> None:
        for name, value in self.to.items():
            setattr(self.row, name, value)

    def shape(self) -> Shape:
        return type(self.row), tuple(self.to), tuple(self.where)

    def values(self, at: int = 0) -> Values:
        """What the texts below have places for."""
        connection = this_threads_connection()
        values: Values = {f"key_{at}": self.row.pk}
        held = [*self.to.values(), *self.where.values()]
        columns = _columns(self.shape(), connection.vendor)
        for number, (column, value) in enumerate(zip(columns, held, strict=True)):
            values[f"value_{at}_{number}"] = column.sent(key_or_value(value), connection)
        return values


def change_all(*changes: Change, beside: Sequence[Model] = ()) -> bool:
    """Change the rows and insert what comes `beside`. False: one of them is not as said, and nothing is done.

    For the end of a transaction (prepared.py, ask_last).
    """
    vendor = this_threads_connection().vendor
    links = unlinked(beside)
    steps = _changing(tuple(one.shape() for one in changes), links, vendor)
    values = all_values(beside, links)
    for at, one in enumerate(changes):
        values |= one.values(at)
    if not steps.ask(values, is_last=True):
        return False
    for one in changes:
        one.is_made()
    return True


@lru_cache(maxsize=200)
def _changing(shapes: tuple[Shape, ...], beside: Others, vendor: str) -> Steps:
    del vendor  # of the names' quotes and of what is sent
    last = f"held_{len(shapes) - 1}"
    steps = {f"held_{at}": _hold(at, *shape) for at, shape in enumerate(shapes)}
    steps |= {f"changed_{at}": change_text(shape, last, at) for at, shape in enumerate(shapes)}
    return Steps(f"SELECT key FROM {last}", **steps, **with_rows(beside, last))  # noqa: S608


@lru_cache(maxsize=200)
def _columns(shape: Shape, vendor: str) -> list[Column]:
    """How the values of a change are sent, in their order."""
    model, to, where = shape
    return [columns_of(model, vendor)[_column(model, name)] for name in (*to, *where)]


def _hold(at: int, model: type[Model], to: Names, where: Names) -> str:
    """The row if it is as said; of those behind the first only where the one before it was."""
    table, key = _table_and_key(model)
    after = f", held_{at - 1}" if at else ""
    known = [
        f"{table}.{_quoted(_column(model, name))} = %(value_{at}_{number})s"
        for number, name in enumerate(where, len(to))
    ]
    is_it = " AND ".join([f"{key} = %(key_{at})s", *known])
    return and_hold(f"SELECT {key} AS key FROM {table}{after} WHERE {is_it}")  # noqa: S608


def change_text(shape: Shape, after: str, at: int = 0, **known: str) -> str:
    """An UPDATE of a row that is held, where the step `after` which it comes has found something.

    `known` are fields that other steps say.
    """
    model, to, _where = shape
    table, key = _table_and_key(model)
    sets = ", ".join(
        f"{_quoted(_column(model, name))} = {known.get(name, f'%(value_{at}_{number})s')}"
        for number, name in enumerate(to)
    )
    return f"UPDATE {table} SET {sets} FROM {after} WHERE {key} = %(key_{at})s"  # noqa: S608


def _table_and_key(model: type[Model]) -> tuple[str, str]:
    table = _quoted(model._meta.db_table)
    return table, f"{table}.{_quoted(str(model._meta.pk.column))}"


def _column(model: type[Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.column)


def _quoted(name: str) -> str:
    return str(this_threads_connection().ops.quote_name(name))
