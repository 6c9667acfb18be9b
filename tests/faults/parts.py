"""One part of the running service: a program with its children, killed, paused and started again.

A part is killed as a container is: all its processes at once, without a word. Its address and folder
stay, so that what starts again is found where it was.
"""

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import httpx

from bench.cpu import process
from tests.running import ROOT, free_port

STARTS_WITHIN = 240  # seconds; all start at once, and a machine that is shared is slow
RESTARTS_AFTER = 1.0  # seconds until a supervisor starts what has died


def _with_services() -> Any:
    """deploy/with-services knows where the servers' programs are and who may run them."""
    loader = SourceFileLoader("with_services", str(ROOT / "deploy" / "with-services"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


servers = _with_services()


def family(pid: int) -> list[int]:
    """A process and all its living descendants."""
    children = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*"):
        if found := process(int(path.name)):
            children[found.parent].append(int(path.name))
    found_so_far, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found_so_far.append(one)
        waiting += children[one]
    return found_so_far


@dataclass
class Part:
    """A program that can be started again at the same address. `answers` says when it is ready."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    answers: Callable[["Part"], bool]
    port: int = 0
    how: dict[str, Any] = field(default_factory=dict)  # as whom and where it runs
    running: subprocess.Popen[bytes] | None = None
    begun_at: int = 0  # how long the log was when it was last started
    is_wanted: bool = False
    supervised: Any = field(default_factory=threading.RLock)  # one starts or ends it at a time

    def start(self) -> None:
        self.begun_at = self.log.stat().st_size if self.log.exists() else 0
        with self.supervised, self.log.open("ab") as log:
            self.is_wanted = True
            self.running = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **({"cwd": ROOT} | self.how),
            )

    def wait(self) -> None:
        """Until it answers. Raises AssertionError with the end of its log."""
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            self.restart_if_dead()
            if self.answers(self):
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} does not come up:\n{self.last_words()}")

    def restart_if_dead(self) -> None:
        """What ended by itself, or could not start, is tried again, as a supervisor does."""
        with self.supervised:
            if self.is_wanted and not self.is_running:
                time.sleep(RESTARTS_AFTER)
                self.start()

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    @property
    def is_running(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def kill(self) -> None:
        """-9 to all its processes, as when its container or its machine dies."""
        with self.supervised:
            self.is_wanted = False
        if self.running is None:
            return
        everybody = family(self.running.pid) if self.is_running else []
        _signal(signal.SIGSTOP, everybody)  # none of them starts another one meanwhile
        everybody += [pid for pid in family(self.running.pid) if pid not in everybody]
        _signal(signal.SIGKILL, everybody)
        self.running.wait()
        until = time.monotonic() + 10
        while any(process(pid) for pid in everybody) and time.monotonic() < until:
            time.sleep(0.02)

    def kill_and_restart(self) -> None:
        """As a supervisor does it: dead, and a moment later started again. wait() until it answers."""
        self.kill()
        time.sleep(RESTARTS_AFTER)
        self.start()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Dead for a while."""
        self.kill()
        try:
            yield
        finally:
            self.start()
            self.wait()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """There, but doing nothing: connections stay open and nobody answers on them."""
        assert self.running
        everybody = family(self.running.pid)
        _signal(signal.SIGSTOP, everybody)
        try:
            yield
        finally:
            _signal(signal.SIGCONT, everybody)

    def stop(self, how: signal.Signals = signal.SIGTERM, within: float = 20) -> None:
        """In good order; killed when it does not end."""
        if self.running is not None and self.is_running:
            self.running.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.running.wait(within)
        self.kill()


def _signal(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


# --- when a part is ready -------------------------------------------------------------------------
def is_ready(part: Part) -> bool:
    try:
        return '"ok"' in httpx.get(f"http://127.0.0.1:{part.port}/readyz", timeout=5).text
    except httpx.TransportError:
        return False


def is_alive(part: Part) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{part.port}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def says(words: str) -> Callable[[Part], bool]:
    """It has written these words since it was last started."""
    return lambda part: words.encode() in part.log.read_bytes()[part.begun_at :]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


# --- the two servers ------------------------------------------------------------------------------
def postgres(folder: Path) -> Part:
    """A PostgreSQL of its own that writes down what it promises: it is going to be killed."""
    data, sockets, port = folder / "postgres", folder / "sockets", free_port()
    for path in (sockets, data):
        servers.own_folder(path)
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    servers.once(servers.program("initdb"), "-D", str(data), "-U", servers.NAME, *options)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(sockets),
        "max_connections": "200",
        "jit": "off",
        "dynamic_shared_memory_type": "mmap",
        "fsync": "on",
        "synchronous_commit": "on",
    }
    flags = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

    def answers(part: Part) -> bool:
        ask = [servers.program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        return subprocess.run(ask, env=servers.ENVIRONMENT, cwd="/").returncode == 0

    return Part(
        "postgres",
        [servers.program("postgres"), "-D", str(data), "-p", str(port), *flags],
        servers.ENVIRONMENT,
        folder / "postgres.log",
        answers,
        port,
        {"cwd": "/", **servers.identity()},
    )


def redis_server(folder: Path) -> Part:
    """A Redis of its own, which writes nothing down, as in production."""
    port = free_port()
    servers.own_folder(folder / "redis")
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    options += ["--dir", str(folder / "redis"), "--loglevel", "warning"]
    return Part(
        "redis",
        [servers.program("redis-server"), "--port", str(port), *options],
        servers.ENVIRONMENT,
        folder / "redis.log",
        lambda part: listens(port),
        port,
        {"cwd": "/", **servers.identity()},
    )
