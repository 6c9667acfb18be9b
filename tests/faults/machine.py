"""The whole service on one machine, as docker-compose.yml runs it, with several processes of each kind.

Every command and variable comes from docker-compose.yml; only addresses and folders are replaced.
There is no proxy: people ask one web process after the other, and each socket goes to another live
process than the last, so that nothing may depend on what a process remembers.
"""

import itertools
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import Celery
from django.conf import settings
from django.db import connection, connections

from accounts.models import Message
from consult.models import Prescription
from deploy.trial import compose, filled
from tests.faults.parts import Part, is_alive, is_ready, postgres, redis_server, says, servers
from tests.running import ROOT, Gateway, free_port, test_database_url

READY = {
    "web": is_ready,
    "live": is_ready,
    "worker-sms": says(" ready."),
    "worker-pdf": says(" ready."),
    "beat": says("beat: Starting"),
}
# Two of each, but for what costs a small machine most; the long run has two of those too.
USUAL = {"web": 2, "live": 2, "worker-sms": 2, "worker-pdf": 1, "beat": 1}


class Machine:
    """All parts of one running site, and a gateway that keeps the SMS it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gateway = Gateway()
        self._tables = test_database_url()
        self.postgres, self.redis = postgres(folder), redis_server(folder)
        self.database_url = f"postgres://{servers.NAME}@127.0.0.1:{self.postgres.port}/site"
        self.redis_url = f"redis://127.0.0.1:{self.redis.port}/0"
        self.url = f"http://127.0.0.1:{free_port()}"  # what people type; nobody listens there
        self.parts: dict[str, list[Part]] = {}
        self._services = compose()["services"]
        self._turn = itertools.count()
        self._turns = threading.Lock()
        self._is_over = threading.Event()

    # --- starting and stopping --------------------------------------------------------------------
    def start(self, how_many: dict[str, int]) -> None:
        """The two servers, a copy of the tests' tables, then everything else at once."""
        for server in (self.postgres, self.redis):
            server.start()
            server.wait()
        with ThreadPoolExecutor(2) as both:
            for done in (both.submit(self._copy_tables), both.submit(self._collect_static)):
                done.result()
        for service, number in how_many.items():
            self.parts[service] = [self.part(service) for _index in range(number)]
        for part in self.everybody():
            part.start()
        self.wait()
        threading.Thread(target=self._supervise, name="supervisor", daemon=True).start()

    def _supervise(self) -> None:
        """A worker, for one, ends when it has not found Redis for long."""
        while not self._is_over.wait(1):
            for part in self.everybody():
                part.restart_if_dead()

    def wait(self) -> None:
        """Until all that was started answers."""
        for part in (self.postgres, self.redis, *self.everybody()):
            part.wait()

    def stop(self) -> None:
        self._is_over.set()
        for part in self.everybody():
            part.kill()
        self.redis.kill()
        self.postgres.kill()
        self.gateway.shutdown()
        self.gateway.server_close()

    def everybody(self) -> list[Part]:
        return [part for parts in self.parts.values() for part in parts]

    @contextmanager
    def one_more(self, service: str, part: Part) -> Iterator[Part]:
        """This process works beside the others of its service for a while."""
        part.start()
        try:
            part.wait()
            self.parts[service].append(part)
            yield part
        finally:
            part.kill()
            self.parts[service] = [one for one in self.parts[service] if one is not part]

    def part(self, service: str, **more: str) -> Part:
        """One more process of this service of docker-compose.yml, not started yet."""
        port = free_port()
        name = f"{service}-{port}"
        return Part(
            name,
            self._command(service, port, name),
            self._environment(service) | more,
            self.folder / f"{name}.log",
            READY[service],
            port,
        )

    def web_with_clock(self, ahead: str) -> Part:
        """One more web process whose clock is wrong, for example by "+3h"."""
        web = self.part("web", FAKETIME_DONT_FAKE_MONOTONIC="1")
        web.command = ["faketime", "-f", ahead, *web.command]
        web.answers = is_alive
        return web

    def _command(self, service: str, port: int, name: str) -> list[str]:
        here = {
            "0.0.0.0": "127.0.0.1",
            "8000": str(port),
            "/tmp/beat": str(self.folder / name),
            "@%h": f"@{name}",  # two workers of one name would take each other for themselves
        }
        words = [filled(word, self._variables) for word in self._services[service]["command"]]
        for there, replaced in here.items():
            words = [word.replace(there, replaced) for word in words]
        return [str(Path(sys.executable).parent / words[0]), *words[1:]]

    def _environment(self, service: str) -> dict[str, str]:
        given = self._services[service]["environment"]
        return {key: filled(str(value), self._variables) for key, value in given.items()} | {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "VAR_DIR": str(self.folder / "var"),
            "FILES_DIR": str(self.folder / "files"),
        }

    @property
    def _variables(self) -> dict[str, str]:
        """Those of .env. What is secret is the tests', so that they can sign people in."""
        return {
            "SITE_URL": self.url,
            "SECRET_KEY": settings.SECRET_KEY,
            "CODE_PEPPER": settings.CODE_PEPPER,
            "TURN_SECRET": "only for these tests",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SMS_BACKEND": "accounts.sms.HttpJsonBackend",
            "SMS_HTTP_URL": self.gateway.url,
            "SIGNING_KEYS": str(settings.SIGNING_KEYS),
            "SIGNING_KEY_ID": settings.SIGNING_KEY_ID,
            "PDF_CERTIFICATE": str(settings.PDF_CERTIFICATE),
            "WEB_WORKERS": "1",
            "PDF_PROCESSES": "1",
        }

    def _copy_tables(self) -> None:
        """As the migrations made them for the tests; they are empty."""
        host = ["-h", "127.0.0.1", "-p", str(self.postgres.port), "-U", servers.NAME]
        servers.once(servers.program("createdb"), *host, "site")
        dump = [servers.program("pg_dump"), "--no-owner", "-d", self._tables]
        load = [servers.program("psql"), "-q", "-v", "ON_ERROR_STOP=1", *host, "site"]
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumped:
            done = subprocess.run(load, stdin=dumped.stdout, capture_output=True, text=True)
        assert (dumped.wait(), done.returncode) == (0, 0), done.stderr

    def _collect_static(self) -> None:
        command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
        environment = self._environment("web")
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    # --- addresses --------------------------------------------------------------------------------
    def next_web(self) -> str:
        return f"http://127.0.0.1:{self._next('web')}"

    def next_live(self) -> str:
        return f"ws://127.0.0.1:{self._next('live')}"

    def _next(self, service: str) -> int:
        """One after the other, as a proxy that knows nothing of the people does it."""
        with self._turns:
            parts = self.parts[service]
            return parts[next(self._turn) % len(parts)].port

    # --- what it knows ----------------------------------------------------------------------------
    @contextmanager
    def database(self) -> Iterator[None]:
        """Our own models read and write this site's database meanwhile, in every thread."""
        parts = urlsplit(self.database_url)
        here = connection.settings_dict
        before = dict(here)
        connections.close_all()
        here.update(NAME="site", USER=parts.username, HOST="127.0.0.1", PORT=str(parts.port))
        try:
            yield
        finally:
            connections.close_all()
            here.clear()
            here.update(before)

    @contextmanager
    def _broker(self) -> Iterator[Celery]:
        """To hand over tasks as the site's own processes do."""
        app = Celery(broker=self.redis_url)
        app.conf.task_routes = settings.CELERY_TASK_ROUTES
        app.conf.task_default_queue = settings.CELERY_TASK_DEFAULT_QUEUE
        try:
            yield app
        finally:
            app.close()

    def tasks_come_again(self) -> None:
        """Every SMS and every prescription is handed to the workers once more."""
        with self._broker() as broker:
            for pk in Message.objects.values_list("pk", flat=True):
                broker.send_task("accounts.deliver", args=[pk])
            for pk in Prescription.objects.exclude(state="draft").values_list("pk", flat=True):
                broker.send_task("consult.render", args=[pk])

    def redis_forgets(self) -> None:
        with redis.Redis.from_url(self.redis_url) as server:
            server.flushall()

    def times_sent(self) -> "Counter[int]":
        """How often the gateway took each row of the outbox."""
        return Counter(int(sms["reference"]) for sms in list(self.gateway.received))

    def log_of(self, service: str) -> str:
        return "\n".join(part.last_words() for part in self.parts[service])


def part_named(machine: Machine, name: str) -> Any:
    """`redis`, `postgres`, or the first process of a service."""
    return getattr(machine, name) if name in ("redis", "postgres") else machine.parts[name][0]
