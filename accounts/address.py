"""The address a request came from: for the access log and for limits per address."""

from collections.abc import Callable
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

FORWARDED = b"x-forwarded-for"
_current: ContextVar[str | None] = ContextVar("client_address", default=None)


def current_address() -> str | None:
    return _current.get()


class ClientAddress:
    """Middleware: notes the client's address while its request is served.

    X-Forwarded-For is believed only as far as TRUSTED_PROXIES proxies wrote it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        address = _address_of(meta.get("HTTP_X_FORWARDED_FOR", ""), meta.get("REMOTE_ADDR"))
        token = _current.set(address)
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)


def note_address(scope: Any) -> None:
    """Of a socket, for the rest of its life: its task has variables of its own."""
    said = [value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED]
    client = scope.get("client")
    _current.set(_address_of(",".join(said), client[0] if client else None))


def _address_of(forwarded: str, connected: str | None) -> str | None:
    hops = [hop.strip() for hop in forwarded.split(",") if hop]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(hops) >= trusted and _is_address(hops[-trusted]):
        return hops[-trusted]
    return connected or None


def _is_address(said: str) -> bool:
    try:
        ip_address(said)
    except ValueError:
        return False
    return True
