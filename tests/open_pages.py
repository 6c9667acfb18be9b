"""Pages with their sockets open, as tests hold them."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.models import User
from consult.models import Consultation
from tests.running import SOON, Site, session_of


@dataclass
class Page:
    """One open socket."""

    socket: ClientConnection

    def hear(self, kind: str, within: float = SOON, **like: Any) -> dict[str, Any]:
        """The next message of this kind with these values; others before it are passed over."""
        until, others = time.monotonic() + within, []
        while time.monotonic() < until:
            try:
                message = json.loads(self.socket.recv(timeout=max(0, until - time.monotonic())))
            except TimeoutError:
                break
            if message["type"] == kind and like.items() <= message.items():
                return message
            others.append(message)
        raise AssertionError(f"Not told {kind} {like}, but {others}")

    def falls_silent(self) -> None:
        """Returns once nothing has come for two seconds."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.socket.recv(timeout=2)

    def closed_with(self) -> int:
        """The code with which the server closes it."""
        with contextlib.suppress(TimeoutError):
            try:
                while True:
                    self.socket.recv(timeout=SOON)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006
        raise AssertionError("It stays open.")


@contextlib.contextmanager
def page(
    url: str,
    path: str,
    user: User | None = None,
    *,
    staff: bool = False,
    session: str = "",
    origin: str | None = "the site's",
) -> Iterator[Page]:
    """A page of `user` with its socket open."""
    session = session or (session_of(user, staff) if user else "")
    address = url.replace("http", "ws", 1) + path
    with connect(
        address,
        origin=url if origin == "the site's" else origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"},
        open_timeout=SOON,
        close_timeout=2,
    ) as socket:
        yield Page(socket)


def room(consultation: Consultation) -> str:
    return f"/ws/consultations/{consultation.uid}/"


def patients_page(url: str, consultation: Consultation):
    return page(url, room(consultation), consultation.patient.account)


def path(name: str, consultation: Consultation) -> str:
    return reverse(f"consult:{name}", args=[consultation.uid])


def other(site: Site) -> str:
    """Another server process than the first, where there is one."""
    return site.urls[-1]
