"""A cursor for texts that stay the same: PostgreSQL prepares what is asked on it for the third time.

Django weaves the values into each text, so that PostgreSQL reads and plans it anew: half of its work.
A prepared text is planned once, for any values. That is right only where all that decides about an
index stands in the text, so it is for the composed queries and SQL by hand; what the ORM asks may
not be prepared (docs/decisions/0024).
"""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor


def prepared_cursor() -> Any:
    """The usual cursor where nothing is prepared, and where statements are noted with their values."""
    here: Any = connections[DEFAULT_DB_ALIAS]  # once: `connection` looks for it at each attribute
    if not settings.DATABASE_PREPARED or here.queries_logged:
        return here.cursor()
    here.close_if_health_check_failed()
    here.ensure_connection()
    kind: Any = ServerBindingCursor  # typed as one of psycopg2
    return here.make_cursor(kind(here.connection))


def was_cut() -> bool:
    """After an error: the server had ended the connection, and outside of a transaction nothing is lost.

    Then what was asked may be asked again: no other connection that was cut is given out for it.
    """
    here: Any = connections[DEFAULT_DB_ALIAS]
    if here.in_atomic_block or here.connection is None or here.is_usable():
        return False
    here.close()
    if here.vendor == "postgresql" and here.pool:
        here.pool.check()
    return True
