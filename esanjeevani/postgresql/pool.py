"""Of the connections that are free the one used last is given out first.

psycopg's pool gives out the one that rested longest, so that all take turns, and each of them must plan
every statement and has its tables out of the processor's caches when its turn comes. Few pages ask at
the same moment: one or two connections do nearly all the work when they may keep it, and those
that nobody needs are closed after ten minutes, as the pool does.
"""

from psycopg import Connection
from psycopg_pool import ConnectionPool


class Pool(ConnectionPool[Connection]):
    def _get_ready_connection(self, timeout: float | None) -> Connection | None:
        self._pool.rotate(1)  # who was given back last stands at the end
        return super()._get_ready_connection(timeout)
