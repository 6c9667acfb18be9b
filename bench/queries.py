"""How many statements one request sends to the database: counted in this process."""

from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.client import Unexpected
from bench.operations import Operation


@dataclass(frozen=True)
class Statements:
    """What one request sent, in order."""

    all: list[str]

    @property
    def queries(self) -> list[str]:
        return [text for text in self.all if not _is_bracket(text)]

    @property
    def brackets(self) -> int:
        """BEGIN, COMMIT, savepoints: a trip to the database too."""
        return len(self.all) - len(self.queries)


def _is_bracket(text: str) -> bool:
    return text.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"))


def statements(operation: Operation, host: str, csrf: str) -> Statements:
    """Of the second request: the first one loads what a process keeps. Raises Unexpected."""
    for ask in operation.prepare(2):
        with CaptureQueriesContext(connection) as captured:
            answer = Client(enforce_csrf_checks=True).generic(
                ask.method,
                ask.path,
                ask.body(csrf),
                "application/x-www-form-urlencoded",
                headers=ask.headers(host, csrf),
            )
        wanted, location = operation.wanted, answer.headers.get("Location", "")
        if answer.status_code != wanted.status or not location.startswith(wanted.location):
            raise Unexpected(f"{operation.name}: {answer.status_code} {location}")
    return Statements([query["sql"] for query in captured])
