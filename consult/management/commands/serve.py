import logging
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils.module_loading import import_string

from accounts import actions as accounts
from consult import actions as consult
from consult.abdm.work import forget_abdm, sweep_abdm
from esanjeevani import env

PING_EVERY, PING_TIMEOUT = 20, 30  # seconds
STOP_WITHIN = 10  # seconds that a sweep may take to end
MAX_SOCKET_MESSAGE = 64 * 1024  # bytes; call signalling is the largest thing that goes up a socket

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serves the whole site from this one process: pages, sockets and the regular sweeps."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        if not env.EMBEDDED:
            raise CommandError("This is for one machine (EMBEDDED=1 or DEMO=1). See docs for more.")
        logging.getLogger("daphne.server").setLevel(logging.WARNING)
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else WhiteNoise warns
        sweeps = Sweeps()
        server = Server(
            application=import_string(settings.ASGI_APPLICATION),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            ping_interval=PING_EVERY,
            ping_timeout=PING_TIMEOUT,
            websocket_max_message_size=MAX_SOCKET_MESSAGE,
            websocket_max_frame_size=MAX_SOCKET_MESSAGE,
            server_name="esanjeevani",
        )
        self._say_where(f"http://{host}:{port}")
        sweeps.start()
        server.run()  # until Ctrl-C or SIGTERM
        sweeps.stop()
        if not server.listening_addresses:
            raise CommandError(f"Nobody can listen on {host}:{port}: is the port taken?")
        self.stdout.write("Stopped.")

    def _say_where(self, address: str) -> None:
        self.stdout.write(f"{settings.SITE_NAME}: {settings.SITE_URL}/   (Ctrl-C stops it)")
        if settings.DEMO:
            self.stdout.write(f"SMS that would have been sent: {settings.SITE_URL}/demo/sms/")
        if not settings.SITE_URL.endswith(address.rpartition(":")[2]):
            self.stderr.write(
                f"Listening on {address}. Open {settings.SITE_URL} or set SITE_URL: live pages "
                "work from that address only."
            )


@dataclass
class Regularly:
    """One thing that is done every so many seconds."""

    every: float
    do: Callable[[], object]
    due: float = field(default_factory=time.monotonic)

    def run_if_due(self) -> None:
        """What goes wrong is logged; the next time it is tried again."""
        if time.monotonic() < self.due:
            return
        try:
            self.do()
        except Exception:
            log.exception("A sweep failed and will run again in %d s", self.every)
        self.due = time.monotonic() + self.every


class Sweeps(threading.Thread):
    """Does beside the server what Celery beat does in production."""

    def __init__(self) -> None:
        super().__init__(name="sweeps", daemon=True)
        self._stopping = threading.Event()
        self._regular = [
            Regularly(5, consult.sweep_lines),
            Regularly(15, accounts.sweep_messages),
            Regularly(15, consult.sweep_prescriptions),
            Regularly(2, sweep_abdm),
            Regularly(60, forget_abdm),
            Regularly(3600, accounts.sweep_old),
        ]

    def run(self) -> None:
        while not self._stopping.wait(1):
            for regular in self._regular:
                regular.run_if_due()
            close_old_connections()

    def stop(self) -> None:
        """Lets the sweep that is running end."""
        self._stopping.set()
        self.join(STOP_WITHIN)
