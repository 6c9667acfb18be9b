"""Times in UTC, read by psycopg's own code in C instead of Django's in Python.

A cursor of Django's wants a loader that names its time zone, which the one in C does not. What is
asked without a cursor takes that one itself: where the connection's zone is UTC it gives UTC.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db.backends.postgresql.base import TIMESTAMPTZ_OID
from psycopg import adapters
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format

InC: Any = adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT)


class TimeLoader(Loader):
    """Gives times in UTC, as Django's own."""

    timezone = UTC  # by which Django sees that it needs no other

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._read = InC(oid, context).load

    def load(self, data: Buffer) -> datetime:
        return self._read(data).replace(tzinfo=UTC)


@lru_cache
def for_cursors(context: AdaptersMap) -> AdaptersMap:
    return _with(context, TimeLoader)


def without_cursors(adapters: AdaptersMap) -> AdaptersMap:
    """Those of a connection, with times in C where its cursors read them in UTC."""
    if adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT) is not TimeLoader:
        return adapters
    return _with(adapters, InC)


def _with(adapters: AdaptersMap, loader: type[Loader]) -> AdaptersMap:
    copy = AdaptersMap(adapters)
    copy.register_loader("timestamptz", loader)
    return copy
