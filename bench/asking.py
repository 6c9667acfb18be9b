"""Who asks, and how: a browser with its cookies and forms, a program with its key and JSON."""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from bench.client import Connection, Unexpected, Wanted

BROWSER = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Mobile Safari/537.36",
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en-IN,en;q=0.9,hi;q=0.8",
    "Accept-Encoding": "gzip, deflate",
}
PROGRAM = {"User-Agent": "okhttp/4.12.0", "Accept": "application/json", "Accept-Language": "en"}
_addresses = count()


@dataclass(frozen=True)
class Ask:
    """One request of one person. Each comes from an address of its own, as its proxy says."""

    path: str
    form: dict[str, str] | None = None  # None: GET
    cookies: dict[str, str] = field(default_factory=dict)
    content_type = "application/x-www-form-urlencoded"

    @property
    def method(self) -> str:
        return "GET" if self.form is None else "POST"

    def headers(self, host: str, csrf: str) -> dict[str, str]:
        cookies = self.cookies | {settings.CSRF_COOKIE_NAME: csrf}
        headers = BROWSER | {
            "Host": host,
            "X-Forwarded-For": _an_address(),
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        }
        return headers if self.form is None else headers | {"Origin": f"http://{host}"}

    def body(self, csrf: str) -> bytes:
        if self.form is None:
            return b""
        return urlencode(self.form | {"csrfmiddlewaretoken": csrf}).encode()

    def bytes(self, host: str, csrf: str) -> bytes:
        body, headers = self.body(csrf), self.headers(host, csrf)
        if self.method == "POST":
            headers["Content-Type"] = self.content_type
            headers["Content-Length"] = str(len(body))
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class ProgramAsk(Ask):
    """One POST of a phone app, with an Idempotency-Key as docs/api.md asks for."""

    data: dict[str, object] = field(default_factory=dict)
    key: str = ""  # of the person; none before signing in
    once: str = field(default_factory=lambda: secrets.token_hex(16))
    content_type = "application/json"

    @property
    def method(self) -> str:
        return "POST"

    def headers(self, host: str, csrf: str) -> dict[str, str]:
        del csrf  # no cookie signs a program in
        who = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        where = {"Host": host, "X-Forwarded-For": _an_address()}
        return PROGRAM | who | where | {"Idempotency-Key": self.once}

    def body(self, csrf: str) -> bytes:
        del csrf
        return json.dumps(self.data).encode() if self.data else b""


@dataclass(frozen=True)
class Operation:
    """One thing that people do. `prepare` writes rows for so many requests and returns those."""

    name: str
    wanted: Wanted
    prepare: Callable[[int], Sequence[Ask]]
    part_of: str = ""  # of which intake, if of any


def csrf_of(address: tuple[str, int]) -> str:
    """A CSRF cookie, as a browser gets it with its first form. It goes for the form's field too."""
    connection = Connection(address)
    page = Ask(reverse("accounts:sign_in")).bytes(f"{address[0]}:{address[1]}", "")
    head = connection.ask(page).head
    connection.close()
    found = re.search(rb"set-cookie: *" + settings.CSRF_COOKIE_NAME.encode() + rb"=(\w+)", head)
    if not found:
        raise Unexpected(f"No CSRF cookie:\n{head.decode()}")
    return found[1].decode()


def _an_address() -> str:
    number = next(_addresses)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
