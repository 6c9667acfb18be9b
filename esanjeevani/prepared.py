"""A cursor for texts that stay the same: PostgreSQL prepares what is asked on it for the third time.

Django weaves the values into each text, so that PostgreSQL reads and plans it anew: half of its work.
A prepared text is planned once, for any values. That is right only where all that decides about an
index stands in the text, so it is for the composed queries and SQL by hand; what the ORM asks may
not be prepared (docs/decisions/0024).
"""

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg._preparing import PrepareManager
from psycopg.errors import FeatureNotSupported


def this_threads_connection() -> Any:
    """What `django.db.connection` stands for: to ask that for an attribute costs ten calls each time."""
    return connections[DEFAULT_DB_ALIAS]


class Lasting(PrepareManager):
    """What a connection has prepared, kept when something is rolled back.

    psycopg forgets it all then, because what was prepared may speak of a table that is no more. Ours
    never does, PostgreSQL itself forgets nothing, and to plan it all again after each refusal and each
    savepoint cost as much as what the plans save.
    """

    prepared_max = 200  # statements; a web process asks some hundred different ones
    _gone = re.compile(rb"(?:DROP|ALTER|DISCARD ALL|DEALLOCATE ALL)\b")

    def clear(self) -> bool:
        """Asked for by a rollback."""
        return False

    def forget(self) -> bool:
        return super().clear()

    def _should_discard(self, prep: Any, results: Sequence[Any], *_: Any) -> bool:
        said = (result.command_status or b"" for result in results)
        return self.forget() if any(map(self._gone.match, said)) else False


class PreparedCursor(ServerBindingCursor):
    """Typed as one of psycopg2."""

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
        """Raises FeatureNotSupported once when a migration has changed what a plan would answer."""
        try:
            return super().execute(query, params, **kwargs)  # type: ignore[misc]
        except FeatureNotSupported:
            self.connection._prepared.forget()  # type: ignore[attr-defined]
            raise


def prepared_cursor() -> Any:
    """The usual cursor where nothing is prepared, and where statements are noted with their values."""
    connection = this_threads_connection()
    if not settings.DATABASE_PREPARED or connection.queries_logged:
        return connection.cursor()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    prepared = connection.connection._prepared
    if type(prepared) is PrepareManager:
        prepared.__class__ = Lasting
    kind: Any = PreparedCursor
    return connection.make_cursor(kind(connection.connection))
