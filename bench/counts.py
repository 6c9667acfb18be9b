"""What one request does, counted in this process: figures that a busy machine does not change."""

from cProfile import Profile
from dataclasses import dataclass

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from bench.asking import Ask, Operation
from bench.client import Answer

BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True)
class Counts:
    """Of one request, once the process is warm."""

    statements: list[str]  # in order, brackets too
    calls: int  # of Python functions

    @property
    def brackets(self) -> int:
        """BEGIN, COMMIT, savepoints: no question, but a trip to the database each."""
        return sum(text.startswith(BRACKETS) for text in self.statements)

    @property
    def queries(self) -> int:
        return len(self.statements) - self.brackets


def count(operation: Operation, host: str, csrf: str) -> Counts:
    """Raises Unexpected when a page answers otherwise."""
    pages = WSGIHandler()
    first, second, third = operation.prepare(3)
    _serve(pages, operation, first, host, csrf)
    with CaptureQueriesContext(connection) as captured:
        _serve(pages, operation, second, host, csrf)
    statements = [query["sql"] for query in captured]
    profile = Profile()
    _serve(pages, operation, third, host, csrf, profile)
    calls = sum(entry.callcount for entry in profile.getstats())
    return Counts(statements, calls)


def _serve(
    pages: WSGIHandler,
    operation: Operation,
    ask: Ask,
    host: str,
    csrf: str,
    profile: Profile | None = None,
) -> None:
    environ = (
        RequestFactory()
        .generic(
            ask.method,
            ask.path,
            ask.body(csrf),
            ask.content_type,
            headers=ask.headers(host, csrf),
        )
        .environ
    )
    heads: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        heads.append(f"HTTP/1.1 {status}")
        heads.extend(f"{name}: {value}" for name, value in headers)

    if profile:
        profile.enable()
    response = pages(environ, start_response)
    body = b"".join(response)
    response.close()
    if profile:
        profile.disable()
    operation.wanted.check(Answer("\r\n".join(heads).encode(), body), ask.bytes(host, csrf))
