"""Reads docker-compose.yml and the proxy's configuration for use on one machine, without Docker."""

import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
# Below those that Linux hands out by itself. Whoever looks at the same time begins elsewhere.
PORTS = range(11_000, 32_768)
_numbers = itertools.count(random.randrange(len(PORTS)))
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:-|:\?)((?:[^{}]|\{[^{}]*\})*))?\}")


class NotSet(Exception):
    pass


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def filled(text: str, variables: dict[str, str]) -> str:
    """As Compose fills in `${NAME}`, `${NAME:-default}` and `${NAME:?message}`."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, kind, rest = match.groups()
        if variables.get(name):
            return variables[name]
        if kind == ":?":
            raise NotSet(f"{name}: {rest}")
        return filled(rest or "", variables)

    return VARIABLE.sub(value, text)


def free_port() -> int:
    """Given out once, and never by the system to whoever asks it for any: it may be listened at later."""
    while True:
        port = PORTS[next(_numbers) % len(PORTS)]
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def proxy_config(folder: Path, listen: str, ports: dict[str, int]) -> Path:
    """The proxy's configuration with this machine's addresses; `ports`: proxy, tls, web, live."""
    source = ROOT / "deploy" / "nginx"
    replaced = {
        "/etc/nginx/listen.conf": str(folder / "listen.conf"),
        "/etc/nginx/tls": str(folder / "tls"),
        "/tmp/": f"{folder}/",
        "/dev/stdout": str(folder / "access.log"),
        "listen 8080": f"listen 127.0.0.1:{ports['proxy']}",
        "listen 8443": f"listen 127.0.0.1:{ports['tls']}",
        "web:8000": f"127.0.0.1:{ports['web']}",
        "live:8000": f"127.0.0.1:{ports['live']}",
        # nginx knows it from 1.25 on; Debian 12 has 1.22.
        "http2 on;\n": "",
    }
    there = re.compile("|".join(map(re.escape, replaced)))
    for name, target in ((f"{listen}.conf", "listen.conf"), ("nginx.conf", "nginx.conf")):
        text = there.sub(lambda found: replaced[found[0]], (source / name).read_text())
        (folder / target).write_text(text)
    config = folder / "nginx.conf"
    if os.geteuid() == 0:  # its workers would become somebody who may not write to our folder
        config.write_text("user root;\n" + config.read_text())
    return config


def make_certificate(folder: Path) -> None:
    folder.mkdir()
    key, certificate = str(folder / "privkey.pem"), str(folder / "fullchain.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)


class Processes:
    """What we started, by name, each with its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self, name: str) -> int:
        """As `docker stop` does. Returns the exit code."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def stop_all(self) -> None:
        for name in list(self.running):
            self.stop(name)
