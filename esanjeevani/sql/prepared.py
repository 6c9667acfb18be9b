"""Prepared statements: texts that stay the same, read and planned by PostgreSQL once on a connection.

Django weaves the values into each text, so that PostgreSQL reads and plans it anew: half of its work.
A prepared text is planned once, for any values. That is right only where all that decides about an
index stands in the text, so it is for the composed queries and SQL by hand; what the ORM asks may
not be prepared (docs/decisions/0024).
"""

import threading
from asyncio import _get_running_loop
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from psycopg import Error

from esanjeevani.postgresql.statements import Answer, Asked, Values

P = ParamSpec("P")
Found = TypeVar("Found")


class _OfThread(threading.local):
    """Django gives a thread the same one for as long as it lives, whether it is open or not."""

    connection: Any = None


_of_thread = _OfThread()


def this_threads_connection() -> Any:
    """What `django.db.connection` stands for: to ask that for an attribute costs ten calls each time.

    In an event loop it is Django's to find, which lets nobody wait for the database there.
    """
    if _get_running_loop() is not None:
        return connections[DEFAULT_DB_ALIAS]
    if _of_thread.connection is None:
        _of_thread.connection = connections[DEFAULT_DB_ALIAS]
    return _of_thread.connection


def ask(text: str, values: Values = (), connection: Any = None) -> Answer:
    """`connection` is this thread's, of who has it at hand.

    Raises NotSupportedError once when a migration has changed what a plan would answer.
    """
    return ask_all([(text, values)], connection)[0]


def ask_last(text: str, values: Values = ()) -> Answer:
    """As ask(), and where this transaction is the outermost one it is committed in the same trip.

    For its last statement, and one that changes all or nothing: what it answers takes nothing back.
    """
    connection = this_threads_connection()
    is_outermost = connection.in_atomic_block and not connection.savepoint_ids
    return ask_all([(text, values)], connection, and_commit=is_outermost)[0]


def ask_all(
    questions: Sequence[Asked], connection: Any = None, *, and_commit: bool = False
) -> list[Answer]:
    """As ask(), in one round trip (a pipeline): for texts of which none needs what another answers.

    Where nothing is prepared the COMMIT is left to Django, as without `and_commit`.
    """
    connection = connection or this_threads_connection()
    if connection.vendor != "postgresql" or not connection.asks_prepared():
        return [_asked_by_cursor(connection, text, values) for text, values in questions]
    if connection.needs_rollback:
        connection.validate_no_broken_transaction()
    try:
        answers: list[Answer] = connection.statements.ask_all(questions, and_commit=and_commit)
    except Error:
        with connection.wrap_database_errors:
            raise
    return answers


def _asked_by_cursor(connection: Any, text: str, values: Values) -> Answer:
    """Where nothing is prepared, and where somebody looks at what is asked."""
    with connection.cursor() as cursor:
        cursor.execute(text, adapted(values))
        return Answer(cursor.fetchall() if cursor.description else [], cursor.rowcount)


def adapted(values: Values) -> Values:
    """As the database takes them: SQLite keeps times as texts."""
    adapt = this_threads_connection().ops.adapt_unknown_value
    if isinstance(values, dict):
        return {name: adapt(value) for name, value in values.items()}
    return [adapt(value) for value in values]


def was_cut() -> bool:
    """After an error: the server had ended the connection, and outside of a transaction nothing is lost.

    Then what was asked may be asked again: no other connection that was cut is given out for it.
    """
    connection = this_threads_connection()
    if connection.in_atomic_block or connection.connection is None or connection.is_usable():
        return False
    connection.close()
    if connection.vendor == "postgresql" and connection.pool:
        connection.pool.check()
    return True


def again_if_cut(asks: Callable[P, Found]) -> Callable[P, Found]:
    """Asked once more where the connection proves dead: for what a request asks first."""

    @wraps(asks)
    def ask_twice(*args: P.args, **kwargs: P.kwargs) -> Found:
        try:
            return asks(*args, **kwargs)
        except OperationalError:
            if not was_cut():
                raise
            return asks(*args, **kwargs)

    return ask_twice
