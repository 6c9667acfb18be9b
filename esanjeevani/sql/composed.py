"""Queries that are composed once: the ORM's own, compiled to SQL with bind parameters, and kept.

Half of what a page of ours costs is Django putting the same SQL together again: 700 to 2,000 calls of
Python functions for a row of one table, against some 200 to ask for it. A Composed query is written
as any other, with slots where its values go; its SQL is kept by the process. What comes back are rows
of the model, with the rows that select_related() brings and with what annotate() adds.

For the few questions that every request asks. Whatever changes from one asking to the next must be a
slot: a time or a language that is read while composing would stay as it was. Slots take values as the
column holds them: ids, not rows.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Generic, NamedTuple, TypeVar, cast

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.utils.functional import cached_property

from esanjeevani.postgresql.statements import Asked
from esanjeevani.sql.adapters import Column, column_of
from esanjeevani.sql.instances import Instances, instances
from esanjeevani.sql.prepared import again_if_cut, ask, ask_all, this_threads_connection
from esanjeevani.sql.rows import and_insert, insert_asked

PLACE = re.compile(r"(?<!%)%s")  # of a value
Row = TypeVar("Row", bound=Model)


class Slot(Expression):
    """A bind parameter: the place of a value that is known when the query is asked."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)


@dataclass(frozen=True)
class _Text:
    """The SQL of one query, and how its columns become rows."""

    sql: str
    values: list[Any]  # in the order of the SQL; slots among them
    names: list[str]  # of those as a step; a slot has its own
    columns: dict[str, Column]  # of the slots
    converters: list[tuple[int, list[Any], Any]]
    rows: Instances | None  # None where columns are asked for


class Question(NamedTuple):
    """A query that is bound and not yet sent: the text with its values, and how its answer is read."""

    text: Asked
    read: Callable[[Sequence[Sequence[Any]]], Any]
    on_sqlite: Callable[[], Sequence[Sequence[Any]]] | None = None  # how it is asked where not so

    def ask(self) -> Any:
        """By itself."""
        if self.on_sqlite and this_threads_connection().vendor != "postgresql":
            return self.read(self.on_sqlite())
        return self.read(ask(*self.text).rows)


@again_if_cut
def together(*questions: Question) -> list[Any]:
    """What each of them finds, in one round trip to PostgreSQL (a pipeline)."""
    if this_threads_connection().vendor != "postgresql":
        return [one.ask() for one in questions]
    answers = ask_all([one.text for one in questions])
    return [one.read(answer.rows) for one, answer in zip(questions, answers, strict=True)]


def inserting(row: Model) -> Question:
    """A new row to insert, in one trip with what is asked. It does not learn its key."""
    return Question(insert_asked(row), lambda _found: None)


class Columns:
    """One query for columns, as `values_list()` gives them."""

    _gives_rows = False

    def __init__(
        self, write: Callable[..., "QuerySet[Any, Any]"], **slots: "Field[Any, Any]"
    ) -> None:
        self._write = write
        self._slots = {name: Slot(name, field) for name, field in slots.items()}

    def columns(self, with_it: Model | None = None, /, **values: Any) -> list[tuple[Any, ...]]:
        """`with_it` is a new row to insert by the same statement: that somebody reads this."""
        (found,) = together(self.asked(with_it, **values))
        return cast(list[tuple[Any, ...]], found)

    def asked(self, with_it: Model | None = None, /, **values: Any) -> Question:
        """To be asked together() with others."""
        text = self._text
        here = this_threads_connection()
        return Question(and_insert(with_it, text.sql, _sent(text, values, here), here), self._read)

    def _read(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        text = self._text
        if not text.converters:
            return list(found)
        here = this_threads_connection()
        return [tuple(_converted(text, columns, here)) for columns in found]

    @cached_property
    def _text(self) -> _Text:
        """Composed when it is asked for the first time."""
        query = self._write(**self._slots).query
        compiler = query.get_compiler(connection=connection)
        sql, values = _with_constants(*compiler.as_sql())
        converters = compiler.get_converters([one[0] for one in compiler.select])
        return _Text(
            sql=sql,
            values=values,
            names=[
                one.name if isinstance(one, Slot) else f"{query.get_meta().db_table}_{at}"
                for at, one in enumerate(values)
            ],
            columns={
                name: column_of(slot.output_field, connection) for name, slot in self._slots.items()
            },
            converters=[(at, *how) for at, how in converters.items()],
            rows=instances(compiler) if self._gives_rows else None,
        )


class Composed(Columns, Generic[Row]):
    """One query with slots: `Composed(lambda uid: Clinic.objects.filter(uid=uid), uid=UUIDField())`."""

    _gives_rows = True

    def __init__(self, write: Callable[..., QuerySet[Row]], **slots: "Field[Any, Any]") -> None:
        super().__init__(write, **slots)

    def first(self, **values: Any) -> Row | None:
        """The first row, None if there is none."""
        return next(iter(self.all(**values)), None)

    def all(self, with_it: Model | None = None, /, **values: Any) -> list[Row]:
        (found,) = together(self.asked(with_it, **values))
        return cast(list[Row], found)

    def given_by(self, sql: str, values: Any) -> list[Row]:
        """What another text gives that changes rows and returns all their columns in the model's order."""
        return self._read(ask(sql, values).rows)

    def row_of(self, columns: Sequence[Any]) -> Row:
        """From what a statement answers that has this query as a step; more columns may follow."""
        return cast(Row, self._read([columns])[0])

    def as_step(self) -> str:
        """The query as a step of several (steps.py), whose values step_values() are."""
        names = iter(self._text.names)
        return PLACE.sub(lambda _place: f"%({next(names)})s", self._text.sql)

    def step_values(self, **values: Any) -> dict[str, Any]:
        text = self._text
        return dict(zip(text.names, _sent(text, values, this_threads_connection()), strict=True))

    def _read(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        return [self._row(columns) for columns in super()._read(found)]

    def _row(self, columns: Sequence[Any]) -> Row:
        how = self._text.rows
        assert how, "values_list() is for Columns"  # noqa: S101
        return cast(Row, how.made(columns))


def _sent(text: _Text, values: dict[str, Any], here: Any) -> list[Any]:
    """As the database takes them, in the order of the SQL."""
    return [
        text.columns[one.name].sent(values[one.name], here) if isinstance(one, Slot) else one
        for one in text.values
    ]


def _converted(text: _Text, columns: Sequence[Any], connection: Any) -> list[Any]:
    converted = list(columns)
    for at, converters, expression in text.converters:
        for convert in converters:
            converted[at] = convert(converted[at], expression, connection)
    return converted


def _with_constants(sql: str, values: Iterable[Any]) -> tuple[str, list[Any]]:
    """The SQL with what never changes written into it, and the slots that are left.

    PostgreSQL plans a prepared query for any values: that an index of the waiting ones alone is
    enough it sees only where "waiting" stands in the text.
    """
    if connection.vendor != "postgresql":
        return sql, list(values)
    values = list(values)
    texts = ["%s" if isinstance(one, Slot) else _literal(one).replace("%", "%%") for one in values]
    parts = PLACE.split(sql)
    woven = [part for pair in zip_longest(parts, texts, fillvalue="") for part in pair]
    return "".join(woven), [one for one in values if isinstance(one, Slot)]


def _literal(value: Any) -> str:
    with connection.cursor():  # which opens the connection
        operations: Any = connection.ops  # PostgreSQL's
        return str(operations.compose_sql("%s", [value]))
