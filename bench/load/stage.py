"""The site as docker-compose.yml starts it, on loopback, with a database and a Redis of its own."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import tree_memory, tree_seconds
from bench.services import CannotStart, Site, running_site
from deploy.trial import free_port
from deploy.try_commands import Containers, Failed

PAGES, LIVE = "web", "live"
WORKERS = ["worker-sms", "worker-pdf", "beat"]
SERVERS = ["postgres", "redis"]


@dataclass
class Stage:
    """The running processes, by the names that docker-compose.yml gives them."""

    site: Site
    containers: Containers
    gateway_port: int

    @property
    def pages(self) -> str:
        return f"http://127.0.0.1:{self.containers.ports[PAGES]}"

    @property
    def sockets(self) -> str:
        return f"http://127.0.0.1:{self.containers.ports[LIVE]}"

    @property
    def origin(self) -> str:
        return self.containers.site

    @property
    def database(self) -> str:
        return self.site.environment["DATABASE_URL"]

    def pids(self) -> dict[str, int]:
        ours = {name: process.pid for name, process in self.containers.processes.running.items()}
        return ours | {name: self.site.pids[name] for name in SERVERS if name in self.site.pids}

    def cpu(self) -> dict[str, float]:
        """Seconds that each has used until now, with all its children."""
        return {name: tree_seconds(pid) for name, pid in self.pids().items()}

    def memory(self) -> dict[str, int]:
        """Bytes that each holds for itself now, with all its children."""
        return {name: tree_memory(pid) for name, pid in self.pids().items()}

    def start(self, service: str) -> None:
        """Also again, after it was killed."""
        self.containers.start(service)


@contextlib.contextmanager
def stage(web_workers: int) -> Iterator[Stage]:
    """Raises CannotStart. Needs DATABASE_URL and REDIS_URL; everything is stopped and removed after."""
    with running_site() as site:
        folder = Path(site.environment["VAR_DIR"])
        os.environ.update(site.environment)
        made = Stage(site, Containers(folder), free_port())
        keys = str(folder / "keys")
        made.containers.variables |= {
            "WEB_WORKERS": str(web_workers),
            "PDF_PROCESSES": "1",
            "SIGNING_KEYS": keys,
            "SIGNING_KEY_ID": "demonstration",
            "SMS_BACKEND": "accounts.sms.HttpJsonBackend",
            "SMS_HTTP_URL": f"http://127.0.0.1:{made.gateway_port}/send",
            "SECRET_KEY": site.environment["SECRET_KEY"],
            "CODE_PEPPER": site.environment["CODE_PEPPER"],
        }
        os.environ |= {
            "SITE_URL": made.origin,
            "SIGNING_KEYS": keys,
            "SIGNING_KEY_ID": "demonstration",
            "VAR_DIR": str(folder / "var"),  # as the processes have it
            "FILES_DIR": str(folder / "files"),
        }
        try:
            yield made
        finally:
            made.containers.processes.stop_all()


def start_all(made: Stage) -> None:
    """Once the tables are there. Raises CannotStart."""
    try:
        for service in (PAGES, LIVE, *WORKERS):
            made.start(service)
        for service in (PAGES, LIVE):
            _becomes_healthy(made, service)
    except Failed as error:
        raise CannotStart(str(error)) from error


def _becomes_healthy(made: Stage, service: str) -> None:
    """A busy machine takes longer than one that only tries the commands out."""
    for last in (False, False, True):
        try:
            made.containers.becomes_healthy(service)
        except Failed:
            if last or made.containers.processes.running[service].poll() is not None:
                raise
        else:
            return
