"""How often PostgreSQL was asked and waited for."""

import tempfile
from collections.abc import Callable
from typing import Any

from django.db import connection


def trips(do: Callable[[], Any], by: Any = connection) -> int:
    by.ensure_connection()
    raw: Any = by.connection
    with tempfile.TemporaryFile() as trace:
        raw.pgconn.trace(trace.fileno())
        do()
        raw.pgconn.untrace()
        trace.seek(0)
        sent = [line.split(b"\t") for line in trace if b"\tF\t" in line]
    return len([line for line in sent if {b"Sync", b"Query"} & {word.strip() for word in line}])
