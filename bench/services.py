"""What the measured site stands on: a database and a Redis database of its own, and its processes."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from bench.cpu import process
from deploy.trial import free_port

ROOT = Path(__file__).parent.parent
STARTS_WITHIN, STOPS_WITHIN = 90, 30  # seconds; others may use the machine
QUEUES = ("sms", "pdf", "default")
WEB_THREADS = 4


class CannotStart(Exception):
    """Something that is needed is not there; the text says what."""


@dataclass
class Site:
    """Where the running site is reached, and whose CPU is counted."""

    port: int
    environment: dict[str, str]
    pids: dict[str, int] = field(default_factory=dict)  # web, worker, postgres, redis

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def wait_for_worker(self, seconds: float = 60) -> None:
        """Returns once no task waits or runs. Raises CannotStart."""
        until = time.monotonic() + seconds
        with redis.Redis.from_url(self.environment["REDIS_URL"]) as broker:
            while any(broker.llen(queue) for queue in QUEUES) or broker.hlen("unacked"):
                if time.monotonic() > until:
                    raise CannotStart("The worker does not do its tasks.")
                time.sleep(0.05)


@contextmanager
def running_site() -> Iterator[Site]:
    """The environment first; start() is called when the tables are there. Everything is undone."""
    with ExitStack() as undo:
        folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        site = Site(port=free_port(), environment={})
        site.environment = _production(f"http://{site.host}") | {
            "DATABASE_URL": undo.enter_context(_database(_asked("DATABASE_URL"), site.pids)),
            "REDIS_URL": undo.enter_context(_redis(_asked("REDIS_URL"), site.pids)),
            "VAR_DIR": folder,
        }
        yield site


def _production(url: str) -> dict[str, str]:
    return {
        "EMBEDDED": "0",
        "DEMO": "0",
        "DEBUG": "0",
        "SITE_URL": url,
        "SECRET_KEY": secrets.token_hex(32),
        "CODE_PEPPER": secrets.token_hex(32),
        "TRUSTED_PROXIES": "1",
        "SMS_BACKEND": "accounts.sms.ConsoleBackend",
        "DJANGO_SETTINGS_MODULE": "esanjeevani.settings",
    }


def _asked(name: str) -> str:
    value = os.environ.get(name, "")
    if not value.startswith(("postgres", "redis")):
        raise CannotStart(f"{name} names no server. `make bench` starts what is needed.")
    return value


@contextmanager
def _database(url: str, pids: dict[str, int]) -> Iterator[str]:
    """A new database on the same server."""
    name = f"bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        backend = process(server.info.backend_pid)
        if backend and backend.name == "postgres":  # else it is on another machine
            pids["postgres"] = backend.parent
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            server.execute(drop.format(sql.Identifier(name)))


@contextmanager
def _redis(url: str, pids: dict[str, int]) -> Iterator[str]:
    """An empty database of the same Redis: tasks of others must not get to our worker."""
    for number in range(15, -1, -1):
        own = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
        client = redis.Redis.from_url(own)
        if not client.dbsize():
            break
    else:
        raise CannotStart("Every database of this Redis is in use.")
    pid = int(client.info("server")["process_id"])
    there = process(pid)
    if there and there.name.startswith("redis"):
        pids["redis"] = pid
    try:
        yield own
    finally:
        client.flushdb()
        client.close()


@contextmanager
def processes(site: Site) -> Iterator[None]:
    """The pages and the worker as docker-compose.yml starts them, with one process for the pages."""
    web = [
        "granian", "--interface=wsgi", "--no-ws", "--host=127.0.0.1", f"--port={site.port}",
        "--workers=1", f"--blocking-threads={WEB_THREADS}", "--log-level=warning",
        "esanjeevani.wsgi:application",
    ]  # fmt: skip
    worker = [
        "celery", "--app=esanjeevani.celery_app", "worker", "--queues=sms,default",
        "--pool=threads", "--concurrency=8", "--without-gossip", "--without-mingle",
        "--loglevel=INFO",
    ]  # fmt: skip
    pool = {"DATABASE_POOL": os.environ.get("DATABASE_POOL", str(WEB_THREADS))}
    with (
        _process(site, "web", web, pool) as pages,
        _process(site, "worker", worker, {"DATABASE_POOL": "8"}),
    ):
        _wait_until_ready(site, pages, site.port)
        yield


@contextmanager
def claim_pages(site: Site) -> Iterator[tuple[str, int]]:
    """The pages and one that only claims, by a process per core; where they are reached."""
    address = ("127.0.0.1", free_port())
    cores = len(os.sched_getaffinity(0))
    command = [
        "granian", "--interface=wsgi", "--no-ws", "--host=127.0.0.1", f"--port={address[1]}",
        f"--workers={cores}", f"--blocking-threads={WEB_THREADS}", "--log-level=warning",
        "esanjeevani.wsgi:application",
    ]  # fmt: skip
    more = {
        "DJANGO_SETTINGS_MODULE": "bench.claim_settings",
        "DATABASE_POOL": str(WEB_THREADS),
    }
    with _process(site, "claim-pages", command, more) as pages:
        _wait_until_ready(site, pages, address[1], "claim-pages")
        yield address


@contextmanager
def pdf_worker(site: Site) -> Iterator[None]:
    """The worker that draws PDFs, with one process of its own."""
    command = [
        "celery", "--app=esanjeevani.celery_app", "worker", "--hostname=pdf@%h", "--queues=pdf",
        "--pool=prefork", "--concurrency=1", "--without-gossip", "--without-mingle",
        "--loglevel=INFO",
    ]  # fmt: skip
    with _process(site, "worker-pdf", command):
        yield


@contextmanager
def _process(
    site: Site, name: str, command: list[str], more: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(site.environment["VAR_DIR"]) / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=os.environ | site.environment | (more or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we stop them
        )
    site.pids[name] = started.pid
    try:
        yield started
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            if started.poll() is None:
                started.send_signal(how)
                try:
                    started.wait(STOPS_WITHIN)
                except subprocess.TimeoutExpired:
                    continue


def _wait_until_ready(
    site: Site, pages: subprocess.Popen[bytes], port: int, name: str = "web"
) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and pages.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:  # not there yet, or too slow to answer
            time.sleep(0.1)
    log = (Path(site.environment["VAR_DIR"]) / f"{name}.log").read_text(errors="replace")
    raise CannotStart(f"The pages did not come up:\n{log[-3000:]}")
