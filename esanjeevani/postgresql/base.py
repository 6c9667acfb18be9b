"""Django's PostgreSQL, with what a connection has prepared, and quicker in two things.

Before it gives out a connection of the pool, or goes on with the one that a thread kept, it listens
instead of asking. Django has the server asked before each request or task, a round trip for an answer
that is nearly always yes. A server that ends a connection says so on it, and of a killed one the kernel
closes the end. So a connection on which nothing was said is good; the moment in between is left to
`was_cut()` (docs/decisions/0028).

Times are read by psycopg's own code in C (times.py).
"""

from collections.abc import Callable
from datetime import UTC
from select import POLLIN, poll
from typing import Any

from django.conf import settings
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
from django.utils.functional import cached_property
from psycopg import Connection, Error

from esanjeevani.postgresql.pool import Pool
from esanjeevani.postgresql.statements import Statements, statements
from esanjeevani.postgresql.times import for_cursors


class DatabaseWrapper(PostgreSQL):
    health_check_enabled: bool
    health_check_done: bool
    statements: Statements  # of the connection that this thread has now
    _connection_pools: dict[str, Pool]  # Django's, of all threads of this process
    _configure_connection: Callable[[Connection], Any]

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if self.timezone == UTC:
            params["context"] = for_cursors(params["context"])
        return params

    @property
    def pool(self) -> Pool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == NO_DB_ALIAS:
            return None
        if self.alias not in self._connection_pools:
            params = self.get_connection_params() | {"autocommit": True}  # until Django says
            pool = Pool(kwargs=params, open=False, configure=self._configure_connection, **options)
            self._connection_pools.setdefault(self.alias, pool)  # another thread may be first
        return self._connection_pools[self.alias]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection: Any = super().get_new_connection(conn_params)
        while self.pool and something_was_said(connection) and not answers(connection):
            self.pool.putconn(connection)  # which replaces it
            connection = self.pool.getconn()
        self.statements = statements(connection)
        return connection

    def close_if_health_check_failed(self) -> None:
        """Of a connection that was kept without a pool: where something was said the server is asked."""
        held = self.connection
        if held is None or held.closed or self.errors_occurred or something_was_said(held):
            super().close_if_health_check_failed()
        else:
            self.health_check_done = True

    def _set_autocommit(self, autocommit: bool) -> None:
        """Said to psycopg where it is news: each request takes a connection that was given back so."""
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]  # unknown to django-stubs

    def asks_prepared(self) -> bool:
        """Opens a connection if there is none. Not where somebody looks at what is asked."""
        if self.force_debug_cursor or self.execute_wrappers or not self._may_prepare:
            return False
        if self.health_check_enabled and not self.health_check_done:
            self.close_if_health_check_failed()
        if self.connection is None:
            self.ensure_connection()
        return True

    @cached_property
    def _may_prepare(self) -> bool:
        return bool(settings.DATABASE_PREPARED and not settings.DEBUG)


def something_was_said(connection: Connection) -> bool:
    """Between two requests: that it ends, or nothing of importance."""
    waiting = poll()
    waiting.register(connection.fileno(), POLLIN)
    return bool(waiting.poll(0))


def answers(connection: Connection) -> bool:
    try:
        connection.execute("")
    except Error:
        return False
    return True
