"""What a connection has prepared, and how it is asked again: by libpq, without a cursor.

A cursor of psycopg reads the text anew each time, counts how often it came, makes what it needs for its
values and its rows: three times what libpq costs. A text that stays the same needs its name alone.
What must come first, BEGIN and the preparing, travels with the question (docs/decisions/0035).
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import count
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary, proxy

from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.generators import execute, fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from esanjeevani.postgresql.times import without_cursors

MOST = 300  # statements of a connection; a web process asks some hundred different ones
PLACE = re.compile(r"%(?:%|s|\((\w+)\)s)")
COMMIT = [b"COMMIT"]
DONE = ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK

Values = Sequence[Any] | dict[str, Any]
Command = Callable[[], None]  # given to libpq, which sends it later
Asked = tuple[str, Values]
Key = tuple[str, tuple[int, ...]]  # a text and the types of its values


class Answer(NamedTuple):
    rows: list[tuple[Any, ...]]
    rowcount: int  # found or changed; -1 of what has none


class _Text(NamedTuple):
    """As PostgreSQL reads it, with a number at each place."""

    sql: bytes
    names: list[str]  # of the values by number, if they have names
    formats: list[PyFormat]


class Statements:
    """Of one connection. A rollback takes nothing of it: PostgreSQL forgets nothing then."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection, self._libpq = proxy(connection), connection.pgconn
        self._adapted = Transformer(without_cursors(connection.adapters))
        self._names: dict[Key, bytes] = {}
        self._numbers = count()

    def ask_all(self, questions: Sequence[Asked], *, and_commit: bool = False) -> list[Answer]:
        """One after the other in one trip, and the end of the transaction with them if it is said. Raises
        what psycopg's cursor raises of the first that fails, those behind it are not done. Where a
        migration has changed what a plan would answer, or the connection was made to forget, that is
        raised once: then all is prepared anew.
        """
        results = self._asked(questions, COMMIT if and_commit else [])
        for result in results:
            if result.status not in DONE:
                error = error_from_result(result)
                if isinstance(error, FeatureNotSupported | InvalidSqlStatementName):
                    self._names.clear()
                raise error
        return [self._read(result) for result in results]

    def _read(self, result: PGresult) -> Answer:
        self._adapted.set_pgresult(result)
        rows = self._adapted.load_rows(0, result.ntuples, tuple)
        return Answer(rows, -1 if result.command_tuples is None else result.command_tuples)

    def _asked(self, questions: Sequence[Asked], afterwards: list[bytes]) -> list[PGresult]:
        """What is answered to each; where something failed, that alone."""
        commands, asked = self._begin(), list[int]()  # which of the commands are the questions
        prepares: dict[int, Key] = {}
        for text, values in questions:
            key, sql, sent = self._dumped(text, values)
            if key not in self._names:
                commands += self._prepare(key, sql)
                prepares[len(commands) - 1] = key
            asked.append(len(commands))
            commands.append(partial(self._libpq.send_query_prepared, self._names[key], *sent))
        commands += [partial(self._libpq.send_query_params, sql, None) for sql in afterwards]
        if len(commands) == 1:
            commands[0]()
            return [cast(PGresult, self._connection.wait(execute(self._libpq))[-1])]
        results = self._in_one_trip(commands)
        failed = [at for at, result in enumerate(results) if result.status not in DONE]
        for at in failed:  # the first, and all behind it
            if at in prepares:
                self._names.pop(prepares[at], None)
        return [results[at] for at in failed[:1] or asked]

    def _dumped(self, text: str, values: Values) -> tuple[Key, bytes, tuple[Any, Any]]:
        written = _written(text)
        if isinstance(values, dict):
            values = [values[name] for name in written.names]
        sent = self._adapted.dump_sequence(values, written.formats)
        return (text, self._adapted.types or ()), written.sql, (sent, self._adapted.formats)

    def _begin(self) -> list[Command]:
        is_idle = self._libpq.transaction_status == TransactionStatus.IDLE
        if not is_idle or self._connection.autocommit:
            return []
        return [partial(self._libpq.send_query_params, b"BEGIN", None)]

    def _prepare(self, key: Key, sql: bytes) -> list[Command]:
        """The last of them prepares; the name is known from now on."""
        commands: list[Command] = []
        if len(self._names) >= MOST:
            oldest = self._names.pop(next(iter(self._names)))
            forget = b"DEALLOCATE " + oldest
            commands.append(partial(self._libpq.send_query_params, forget, None))
        name = self._names[key] = b"text_%d" % next(self._numbers)
        return [*commands, partial(self._libpq.send_prepare, name, sql, key[1])]

    def _in_one_trip(self, commands: list[Command]) -> list[PGresult]:
        """What is answered to each. After one that failed those behind it are not done."""
        answers: list[PGresult]
        try:
            self._libpq.enter_pipeline_mode()
            for command in commands:
                command()
            self._libpq.pipeline_sync()
            answers = self._connection.wait(_answers(self._libpq, len(commands)))
            self._libpq.exit_pipeline_mode()
        except BaseException:
            self._connection.close()  # nobody knows what it still has to say
            raise
        return answers


def _answers(libpq: PGconn, how_many: int) -> "PQGen[list[PGresult]]":
    yield from send(libpq)
    answers = []
    for _ in range(how_many):
        answers += yield from fetch_many(libpq)
    yield from fetch_many(libpq)  # that this was all
    return answers


@lru_cache(maxsize=1000)
def _written(text: str) -> _Text:
    names: list[str] = []  # each once; places without a name have one each

    def numbered(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%"
        name = place[1] or f"%{len(names)}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    sql = PLACE.sub(numbered, text).encode()
    return _Text(sql, names, [PyFormat.AUTO] * len(names))


_of: WeakKeyDictionary["Connection[Any]", Statements] = WeakKeyDictionary()


def statements(connection: "Connection[Any]") -> Statements:
    found = _of.get(connection)
    if found is None:
        found = _of[connection] = Statements(connection)
    return found
