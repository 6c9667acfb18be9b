"""The address a request came from: for the access log and for limits per address."""

from collections.abc import Callable
from contextvars import ContextVar
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
        token = _current.set(_address_of(request))
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)


def _address_of(request: HttpRequest) -> str | None:
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(hops) >= trusted and _is_address(hops[-trusted]):
        return hops[-trusted]
    return request.META.get("REMOTE_ADDR") or None


def _is_address(said: str) -> bool:
    try:
        ip_address(said)
    except ValueError:
        return False
    return True
