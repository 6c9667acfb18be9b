"""Several changes in one statement (data-modifying CTEs): the round trip costs more than most of them.

Each step is an INSERT or UPDATE that may read what those before it returned, by their names. All of
them see the tables as they were before the first. SQLite, which changes nothing inside of a WITH and
is not asked over a wire, does them one after the other (docs/decisions/0040).
"""

from collections.abc import Callable, Container, Sequence
from functools import lru_cache, partial
from typing import Any

from django.db import transaction
from django.db.models import Model

from esanjeevani.sql.adapters import Column, columns_of, key_or_value
from esanjeevani.sql.composed import Question
from esanjeevani.sql.prepared import adapted, ask, ask_last, this_threads_connection
from esanjeevani.sql.rows import is_inserted, update

Values = dict[str, Any]


class Steps:
    """Named steps, and the SELECT that answers: its rows are what ask() returns."""

    def __init__(self, answer: str, **steps: str) -> None:
        self._steps = {**steps, "answer": answer}
        parts = ", ".join(f"{name} AS ({text})" for name, text in steps.items())
        self._text = f"WITH {parts} {answer}"

    def ask(self, values: Values, *, is_last: bool = False) -> list[tuple[Any, ...]]:
        """`values` by the names that the texts have for them; `is_last` as ask_last() takes it."""
        if this_threads_connection().vendor != "postgresql":
            return self._ask_one_by_one(values)
        return (ask_last if is_last else ask)(self._text, values).rows

    def asked(self, values: Values, read: Callable[[Sequence[Any]], Any]) -> Question:
        """To be asked together() with others."""
        return Question((self._text, values), read, partial(self._ask_one_by_one, values))

    @transaction.atomic(savepoint=False)
    def _ask_one_by_one(self, values: Values) -> list[tuple[Any, ...]]:
        known, parts = dict(adapted(values)), list[str]()
        found: list[tuple[Any, ...]] = []
        for name, text in self._steps.items():
            with this_threads_connection().cursor() as cursor:
                cursor.execute(f"WITH {', '.join(parts)} {text}" if parts else text, known)
                found = cursor.fetchall()
                if cursor.description:
                    parts.append(_as_table(name, [one[0] for one in cursor.description], found))
            known |= {
                f"{name}_{r}_{c}": v for r, row in enumerate(found) for c, v in enumerate(row)
            }
        return found


def _as_table(name: str, columns: list[str], found: Sequence[Sequence[Any]]) -> str:
    """What a step returned, for the WITH of the next one."""
    rows = [
        f"({', '.join(f'%({name}_{at}_{column})s' for column in range(len(columns)))})"
        for at in range(len(found))
    ]
    nothing = f"SELECT {', '.join(['NULL'] * len(columns))} WHERE 1 = 0"
    said = f"VALUES {', '.join(rows)}" if rows else nothing
    return f"{name}({', '.join(columns)}) AS ({said})"


def insert_with(
    row: Model, *others: Model, unless_there: bool = False, is_last: bool = False
) -> bool:
    """Insert this new row and what comes with it, and give it its key.

    The others may point to it before it has one; they do not learn theirs. With `unless_there` nothing
    is inserted, and False returned, when a unique constraint says that such a row is there already.
    `is_last` as ask_last() takes it.
    """
    connection = this_threads_connection()
    links = _all_links(others, row)
    values = values_of("first", row) | all_values(others, links)
    steps = _inserts(type(row), links, unless_there, connection.vendor)
    found = steps.ask(values, is_last=is_last)
    if not found:
        return False
    is_inserted(row, found[0][0])
    return True


Links = tuple[str, ...]  # columns of a row in which the key of the first one stands
Others = tuple[tuple[type[Model], Links], ...]


def _all_links(others: Sequence[Model], to: Model) -> Others:
    return tuple((type(other), _links(other, to)) for other in others)


def _links(row: Model, to: Model) -> Links:
    known = row._state.fields_cache
    keys = _keys_of(type(row), type(to))
    return tuple(str(field.column) for field in keys if known.get(field.name) is to)


@lru_cache(maxsize=200)
def _keys_of(model: type[Model], to: type[Model]) -> list[Any]:
    fields: list[Any] = list(model._meta.local_concrete_fields)
    return [field for field in fields if field.related_model is to]


def all_values(others: Sequence[Model], links: Others) -> Values:
    values: Values = {}
    for at, other in enumerate(others):
        values |= values_of(f"with_{at}", other, links[at][1])
    return values


def values_of(name: str, row: Model, without: Container[str] = ()) -> Values:
    """What insert_text() has places for."""
    connection = this_threads_connection()
    return {
        f"{name}_{column}": how.of(row, connection)
        for column, how in columns_of(type(row), connection.vendor).items()
        if column not in without
    }


def and_hold(rows: str) -> str:
    """A step that finds rows, which are nobody else's to change until the statement or its transaction
    is done."""
    has_locks = this_threads_connection().features.has_select_for_no_key_update
    return f"{rows} FOR NO KEY UPDATE" if has_locks else rows


def as_text(uid: str) -> str:
    """A column of public ids as they are written; SQLite keeps them without hyphens."""
    if this_threads_connection().vendor == "postgresql":
        return f"CAST({uid} AS text)"
    parts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
    return " || '-' || ".join(f"substr({uid}, {begin}, {size})" for begin, size in parts)


def insert_text(name: str, model: type[Model], **known: str) -> str:
    """An INSERT of one row up to its FROM; `known` are columns that other steps say."""
    connection = this_threads_connection()
    columns = columns_of(model, connection.vendor)
    names = ", ".join(map(connection.ops.quote_name, columns))
    places = ", ".join(known.get(column, f"%({name}_{column})s") for column in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) SELECT {places}"


@lru_cache(maxsize=200)
def _inserts(model: type[Model], others: Others, unless_there: bool, vendor: str) -> Steps:
    del vendor  # of the names' quotes and of what is sent
    but = " ON CONFLICT DO NOTHING" if unless_there else ""
    first = f"{insert_text('first', model)} WHERE TRUE{but} RETURNING {_key(model)} AS key"
    return Steps("SELECT key FROM first", first=first, **with_rows(others))


def unlinked(others: Sequence[Model]) -> Others:
    """Rows of which none points to the one that they come with."""
    return tuple((type(other), ()) for other in others)


def with_rows(others: Others, after: str = "first") -> dict[str, str]:
    """Steps that insert a row of each model if the step `after` which they come has found something."""
    return {
        f"with_{at}": insert_text(f"with_{at}", other, **dict.fromkeys(links, f"{after}.key"))
        + f" FROM {after}"
        for at, (other, links) in enumerate(others)
    }


def _key(model: type[Model]) -> str:
    return this_threads_connection().ops.quote_name(model._meta.pk.column)


def update_with(
    model: type[Model], key: Any, changes: Values, *others: Model, **where: Any
) -> bool:
    """As rows.update(), and insert what comes with the change. False: the row is not as said."""
    if not others:
        return bool(update(model, key, changes, **where))
    return bool(update_asked(model, key, changes, *others, **where).ask())


def update_asked(
    model: type[Model], key: Any, changes: Values, *others: Model, **where: Any
) -> Question:
    """As update_with(), to be asked together() with others: finds nothing where that says False."""
    links = unlinked(others)
    vendor = this_threads_connection().vendor
    steps, columns = _updates(model, tuple(changes), tuple(where), links, vendor)
    values: Values = {"key": key}
    for (name, column), value in zip(columns, [*changes.values(), *where.values()], strict=True):
        values[name] = column.sent(key_or_value(value), this_threads_connection())
    return steps.asked(values | all_values(others, links), list)


@lru_cache(maxsize=200)
def _updates(
    model: type[Model], changes: Links, where: Links, others: Others, vendor: str
) -> tuple[Steps, list[tuple[str, Column]]]:
    """The steps, and which value each change and condition has, in their order."""
    quote = this_threads_connection().ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in (*changes, *where)]
    columns = columns_of(model, vendor)
    places = [f"value_{at}" for at in range(len(fields))]
    known = [
        f"{quote(field.column)} = %({place})s" for field, place in zip(fields, places, strict=True)
    ]
    sets, conditions = known[: len(changes)], known[len(changes) :]
    first = (
        f"UPDATE {quote(model._meta.db_table)} SET {', '.join(sets)} "  # noqa: S608
        f"WHERE {' AND '.join([f'{_key(model)} = %(key)s', *conditions])} "
        f"RETURNING {_key(model)} AS key"
    )
    steps = Steps("SELECT key FROM first", first=first, **with_rows(others))
    return steps, [
        (place, columns[field.column]) for field, place in zip(fields, places, strict=True)
    ]
