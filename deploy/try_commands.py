"""Runs the commands of docker-compose.yml here, without Docker, and asks each whether it lives.

    deploy/with-services -- .venv/bin/python -m deploy.try_commands

Every command, health check and variable comes from docker-compose.yml; only addresses and folders
are replaced by ones of this machine. Where nginx is installed, pages are asked through it too.
"""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from deploy.trial import ROOT, Processes, compose, filled, free_port, nginx, proxy_config

PAGES = ["web", "live"]
WORKERS = ["worker-sms", "worker-pdf", "beat"]
PATIENCE = 180


class Failed(Exception):
    pass


def check(what: str, good: bool, detail: object = "") -> None:
    if not good:
        raise Failed(f"{what}\n{detail}")
    print(f"ok    {what}", flush=True)


class Containers:
    """The services of docker-compose.yml as plain processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services = compose()["services"]
        self.processes = Processes(folder)
        self.ports = {name: free_port() for name in ("web", "live", "proxy", "tls")}
        self.site = f"http://127.0.0.1:{self.ports['proxy']}"
        self.variables = {
            "SITE_URL": self.site,
            "SECRET_KEY": "only-for-this-trial-" + "0123456789" * 4,
            "CODE_PEPPER": "only-for-this-trial",
            "TURN_SECRET": "only-for-this-trial",
            "SMS_BACKEND": "accounts.sms.ConsoleBackend",
            "DATABASE_URL": os.environ["DATABASE_URL"],
            "REDIS_URL": os.environ["REDIS_URL"],
        }

    def environment(self, service: str) -> dict[str, str]:
        """What the container has, and nothing of ours but the way to the programs."""
        given = self.services[service]["environment"]
        return {key: filled(str(value), self.variables) for key, value in given.items()} | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": "/nonexistent",
            "HOSTNAME": socket.gethostname(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "VAR_DIR": str(self.folder / "var"),
            "FILES_DIR": str(self.folder / "files"),
        }

    def here(self, service: str, command: list[str]) -> list[str]:
        """The command with this machine's addresses and folders."""
        changes = {
            "0.0.0.0": "127.0.0.1",
            "8000": str(self.ports.get(service, 8000)),
            "/tmp": str(self.folder),
        }
        words = [filled(word, self.variables) for word in command]
        for there, here in changes.items():
            words = [word.replace(there, here) for word in words]
        return words

    def start(self, service: str) -> None:
        command = self.here(service, self.services[service]["command"])
        self.processes.start(service, command, self.environment(service))

    def once(self, service: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.here(service, command),
            cwd=ROOT,
            env=self.environment(service),
            text=True,
            capture_output=True,
            check=False,
        )

    def becomes_healthy(self, service: str) -> None:
        kind, *words = self.services[service]["healthcheck"]["test"]
        command = words if kind == "CMD" else ["sh", "-c", *words]
        until = time.monotonic() + PATIENCE
        while (answer := self.once(service, command)).returncode:
            ended = self.processes.running[service].poll() is not None
            if ended or time.monotonic() > until:
                raise Failed(f"{service}: {answer.stdout}{answer.stderr}\n{self.log(service)}")
            time.sleep(0.5)
        check(f"{service}: its health check passes", True)

    def says(self, service: str, words: str) -> None:
        until = time.monotonic() + PATIENCE
        while words not in self.log(service) and time.monotonic() < until:
            time.sleep(0.5)
        check(f"{service}: says {words!r}", words in self.log(service), self.log(service))

    def log(self, service: str) -> str:
        return self.processes.log(service)[-4000:]


def ask(port: int, path: str, site: str) -> tuple[int, bytes]:
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(wire):
        wire.request("GET", path, headers={"Host": urlsplit(site).netloc})
        answer = wire.getresponse()
        return answer.status, answer.read()


def what_a_socket_gets(port: int, origin: str) -> int:
    """The code a stranger's socket is closed with, or the status when it is not even opened."""
    try:
        desk = f"ws://127.0.0.1:{port}/ws/desk/"
        with connect(desk, origin=Origin(origin), proxy=None, open_timeout=PATIENCE) as page:
            with contextlib.suppress(ConnectionClosed):
                page.recv(timeout=PATIENCE)
            return page.close_code or 0
    except InvalidStatus as error:
        return error.response.status_code


def try_all(containers: Containers) -> None:
    # The image is built with this done.
    built = containers.once("web", ["python", "manage.py", "collectstatic", "--noinput"])
    check("image: collectstatic", built.returncode == 0, built.stderr)
    done = containers.once("migrate", containers.services["migrate"]["command"])
    check("migrate: ends well", done.returncode == 0, done.stdout + done.stderr)
    for service in (*PAGES, *WORKERS):
        containers.start(service)
    ports = {name: containers.ports[name] for name in PAGES}
    for service in (*PAGES, *WORKERS):
        containers.becomes_healthy(service)
    containers.says("worker-sms", "consult.sweep_lines")
    if program := nginx():
        start_proxy(containers, program)
        ports["proxy"] = containers.ports["proxy"]
    else:
        print("left out: the proxy, because nginx is not installed here")
    for name, port in ports.items():
        status, body = ask(port, "/readyz", containers.site)
        check(f"{name}: /readyz", status == http.HTTPStatus.OK and b'"ok"' in body, (status, body))
        status, body = ask(port, "/", containers.site)
        check(f"{name}: the first page", status == http.HTTPStatus.OK, (status, body[:2000]))
        if name != "web":
            code = what_a_socket_gets(port, containers.site)
            check(f"{name}: our page's socket reaches the application", 4000 <= code < 5000, code)
            code = what_a_socket_gets(port, "http://elsewhere.example")
            check(
                f"{name}: another site's socket is refused", code == http.HTTPStatus.FORBIDDEN, code
            )
    for service in list(containers.processes.running):
        code = containers.processes.stop(service)
        check(
            f"{service}: stops when asked", code in {0, -15, 143}, (code, containers.log(service))
        )


def start_proxy(containers: Containers, program: str) -> None:
    config = proxy_config(containers.folder, "http", containers.ports)
    command = [program, "-g", "daemon off;", "-c", str(config)]
    containers.processes.start("proxy", command, {"PATH": os.environ["PATH"]})
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", containers.ports["proxy"]), 1),
        ):
            return
        time.sleep(0.1)
    raise Failed(f"proxy: {containers.log('proxy')}")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        containers = Containers(Path(folder))
        try:
            try_all(containers)
        except Failed as failed:
            print(f"FAIL  {failed}")
            return 1
        finally:
            containers.processes.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
