"""The process that serves the sockets, as docker-compose.yml starts it, and the bare one beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from bench.services import ROOT, CannotStart, Site
from deploy.trial import compose, filled

STARTS_WITHIN = 30  # seconds
DAPHNE = [
    "daphne", "--bind=0.0.0.0", "--port=8000", "--verbosity=0", "--no-server-name",
    "--ping-interval=20", "--ping-timeout=30", "esanjeevani.asgi:application",
]  # fmt: skip


def command(server: str, port: int, application: str) -> list[str]:
    """`server` is "production" (what docker-compose.yml says) or "daphne"."""
    words = DAPHNE if server == "daphne" else compose()["services"]["live"]["command"]
    changes = {
        "0.0.0.0": "127.0.0.1",
        "8000": str(port),
        "esanjeevani.asgi:application": application,
    }
    words = [filled(word, {}) for word in words]
    for there, here in changes.items():
        words = [word.replace(there, here) for word in words]
    return words


class Server:
    """A process that listens on a port of this machine."""

    def __init__(self, site: Site, name: str, words: list[str], port: int) -> None:
        self.site = site
        self.name = name
        self.words = words
        self.port = port
        self.log = Path(site.environment["VAR_DIR"]) / f"{name}.log"
        self.start()

    def start(self) -> None:
        """Returns once it listens. Raises CannotStart."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.words],
                cwd=ROOT,
                env=os.environ | self.site.environment | {"DATABASE_POOL": "8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise CannotStart(f"{self.name} did not come up:\n{self.log.read_text()[-3000:]}")

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def resident(self) -> int:
        """KiB of memory that are in use now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def seconds(self) -> float:
        """CPU that it has used."""
        stat = Path(f"/proc/{self.pid}/schedstat").read_text().split()
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9 if stat else 0.0
