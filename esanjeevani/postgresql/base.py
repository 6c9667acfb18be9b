"""Django's PostgreSQL; before it gives out a connection of the pool it listens instead of asking.

Django has the pool ask the server before each request, a round trip for an answer that is nearly always
yes. A server that ends a connection says so on it, and of a killed one the kernel closes the end. So
a connection on which nothing was said is good; the moment in between is left to `was_cut()`
(docs/decisions/0028).
"""

from select import POLLIN, poll
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
from psycopg import Connection, Error


class DatabaseWrapper(PostgreSQL):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection: Any = super().get_new_connection(conn_params)
        while self.pool and something_was_said(connection) and not answers(connection):
            self.pool.putconn(connection)  # which replaces it
            connection = self.pool.getconn()
        return connection


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
