"""What holds for every page: its headers, and that the clock is right."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from esanjeevani.clock import clock
from esanjeevani.sorry import try_again

# Camera and microphone are for the room alone, which says so itself.
CALL_ALLOWED = (
    "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), interest-cohort=()"
)
NOTHING_ALLOWED = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"


class PageHeaders:
    """Permissions-Policy on all, and no copy of a signed-in page in any cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", NOTHING_ALLOWED)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class ContentPolicy(CSPMiddleware):
    """Django-csp's middleware; the policy of all pages that ask for no other is written once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)
        self._usual = build_policy()

    def process_request(self, request: HttpRequest) -> None:
        """No page of ours has scripts or styles in it, so none needs a nonce."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if settings.DEBUG or not OTHER_POLICY.isdisjoint(vars(response)):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self._usual)
        return response


# What the decorators of django-csp leave on a response.
OTHER_POLICY = {"_csp_exempt", "_csp_config", "_csp_update", "_csp_replace"}


class RightClock:
    """No page comes from a process whose clock is wrong; asked again, another one answers."""

    HEALTH = ("/healthz", "/readyz")  # they say it themselves

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in self.HEALTH or clock.is_right():
            return self.get_response(request)
        return try_again(request)
