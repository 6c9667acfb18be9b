"""The site as it runs: real processes on loopback, on the test database, stopped by their pid."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from accounts.models import User
from deploy.trial import free_port
from tests.factories import as_patient, as_staff

ROOT = Path(__file__).parent.parent
# Seconds, generous for a busy machine: they are spent only where something is broken.
STARTS_WITHIN = 240
SOON = 120
DAPHNE = ["-m", "daphne", "esanjeevani.asgi:application", "--bind"]
# As docker-compose.yml serves the sockets.
UVICORN = [
    "-m", "uvicorn", "esanjeevani.asgi:application",
    "--http=esanjeevani.live.sockets:Arrival", "--ws=esanjeevani.live.sockets:Sockets",
    "--ws-max-size=65536", "--ws-per-message-deflate=false", "--lifespan=off",
    "--timeout-graceful-shutdown=5", "--host",
]  # fmt: skip


class PortTaken(AssertionError):
    """Somebody else listens there."""


class Gateway(ThreadingHTTPServer):
    """An SMS gateway over HTTP that keeps what it was given; `refuses` answers as MSG91 does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _GatewayRequest)
        self.received: list[dict[str, Any]] = []
        self.refuses = False
        self.before_answering: Callable[[], None] = lambda: None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/send"

    def texts_to(self, phone: str) -> list[str]:
        return [sms["text"] for sms in self.received if sms["to"] == phone]

    def code_for(self, phone: str, after: int = 0) -> str:
        """The newest code sent to `phone`; waits for it."""
        return re.findall(r"\b\d{6}\b", self.wait_for(phone, r"\b\d{6}\b", after))[0]

    def wait_for(self, phone: str, pattern: str, after: int = 0, seconds: float = SOON) -> str:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [text for text in self.texts_to(phone)[after:] if re.search(pattern, text)]
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"No SMS to {phone} like {pattern!r}: {self.texts_to(phone)}")


class _GatewayRequest(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refuses:
            self.server.received.append(body)
        self.server.before_answering()
        answer = {"type": "error" if self.server.refuses else "success"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args: Any) -> None:
        pass


@dataclass
class Site:
    """Running processes and how to reach them."""

    urls: list[str]
    gateway: Gateway
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: dict[int, Path] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.urls[0]

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        log_file = log_of(command)
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        self.logs[process.pid] = log_file
        return process

    def stop(self, process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> None:
        if process.poll() is None:
            process.send_signal(with_signal)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def start_server(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        server: list[str] = DAPHNE,
        says: str = "ok",
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """One more process with pages and sockets; `environment` is for it alone.

        Without a `port` at one that is free, and at another when somebody takes that meanwhile.
        """
        while True:
            at = port or free_port()
            url = f"http://{host}:{at}"
            process = self.start(*server, host, "--port", str(at), SITE_URL=url, **environment)
            try:
                self.wait_until_ready(url, process, says)
            except PortTaken:
                self.stop(process)
                if port:
                    raise
            else:
                return process

    def wait_until_ready(
        self, url: str, process: subprocess.Popen[bytes], says: str = "ok"
    ) -> None:
        """It answers `says` at /readyz: "degraded" where Redis is away. Raises PortTaken."""
        until = time.monotonic() + STARTS_WITHIN
        answer = "nothing"
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.get(f"{url}/readyz", timeout=20).text
                if f'"{says}"' in answer:
                    self.urls.append(url)
                    return
            time.sleep(0.1)
        log = self.logs[process.pid].read_text()[-3000:]
        is_taken = process.poll() is not None and "address already in use" in log.lower()
        because = PortTaken if is_taken else AssertionError
        raise because(f"Not ready within {STARTS_WITHIN} s: {answer}\n{log}")

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start(
            "-m", "celery", "-A", "esanjeevani.celery_app", "worker", "-Q", "default,sms,pdf",
            "-P", "threads", "-c", "4", "--without-gossip", "--without-mingle", "-l", "INFO",
        )  # fmt: skip


def log_of(command: tuple[str, ...]) -> Path:
    name = re.sub(r"\W+", "-", " ".join(command))[:60]
    return Path(os.environ["VAR_DIR"]) / f"{name}-{time.monotonic_ns()}.log"


def test_database_url() -> str:
    """DATABASE_URL with the name of the test database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path=f"/{name}"))


def session_of(user: User, staff: bool = False) -> str:
    """The key of a session of somebody who signed in."""
    signed_in = as_staff(user) if staff else as_patient(user)
    return signed_in.cookies[settings.SESSION_COOKIE_NAME].value


def browser_of(user: User, url: str, staff: bool = False) -> httpx.Client:
    """A real HTTP client with the cookies of somebody who signed in."""
    session = session_of(user, staff)
    client = httpx.Client(base_url=url, timeout=60, verify=False, headers={"Origin": url})
    client.cookies.set(settings.SESSION_COOKIE_NAME, session, domain="127.0.0.1")
    return client


def post(client: httpx.Client, page: str, path: str, **data: str) -> httpx.Response:
    """A form of `page`, with its CSRF token, sent to `path`."""
    shown = client.get(page)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.text)
    if not found:
        return shown
    return client.post(path, data={"csrfmiddlewaretoken": found[1], **data})


test_database_url.__test__ = False  # type: ignore[attr-defined]


@contextlib.contextmanager
def running_site() -> Iterator[Site]:
    """A daphne, a uvicorn and a worker on PostgreSQL and Redis; one server on SQLite, where it is all."""
    gateway = Gateway()
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
        "SMS_BACKEND": "accounts.sms.HttpJsonBackend",
        "SMS_HTTP_URL": gateway.url,
        "FILES_DIR": str(Path(os.environ["VAR_DIR"]) / "files"),
        "PYTHONUNBUFFERED": "1",
        "DATABASE_POOL": "8",
    }
    site = Site([], gateway, environment)
    try:
        if settings.IN_MEMORY:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            process = site.start("manage.py", "serve", "--port", str(port), SITE_URL=url)
            site.wait_until_ready(url, process)
        else:
            site.start_worker()
            site.start("-m", "celery", "-A", "esanjeevani.celery_app", "beat",
                       "-s", str(Path(os.environ["VAR_DIR"]) / "beat"))  # fmt: skip
            site.start_server()
            site.start_server(server=UVICORN)
        yield site
    finally:
        for process in list(site.processes):
            site.stop(process)
        gateway.shutdown()
        gateway.server_close()


@pytest.hookimpl(trylast=True)  # pytest-django has put its own in order
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The site is started once, behind all tests whose work its sweeps would do."""
    items.sort(key=lambda item: "_running" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def _running(django_db_setup: None) -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def site(_running: Site, transactional_db: None) -> Site:
    """The running site; the tables are emptied after the test."""
    _running.gateway.received.clear()
    _running.gateway.refuses = False
    return _running


CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def playing() -> Iterator[Playwright]:
    """Playwright keeps an event loop in this thread; our own calls of the database are not in it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=SOON * 1000)
    with sync_playwright() as playwright:
        yield playwright
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def launch(playwright: Playwright, *more: str, within: str = "") -> Browser:
    """Debian's Chromium, or what CHROMIUM names; `within` is a program that starts it elsewhere."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    return playwright.chromium.launch(
        executable_path=within or program, args=[*CHROMIUM_ARGS, *more]
    )
