"""What holds for every page: its headers, its language, and that the clock is right."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.translation import activate, get_language, get_language_from_request

from esanjeevani.clock import clock
from esanjeevani.sorry import say_in_words, try_again

# Camera and microphone are for the room alone, which says so itself.
CALL_ALLOWED = (
    "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), interest-cohort=()"
)
NOTHING_ALLOWED = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"


class PageHeaders:
    """Permissions-Policy on all, no copy of a signed-in page in any cache, no page without words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            say_in_words(request, response)
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


class Language(LocaleMiddleware):
    """Django's middleware, without its looks whether an address begins with a language: none of ours does.

    The administration is in English for all: Django knows half of its words in Hindi, and a page in two
    languages is in none.
    """

    def process_request(self, request: HttpRequest) -> None:
        is_admin = request.path.startswith("/admin/")
        activate("en" if is_admin else get_language_from_request(request))
        request.LANGUAGE_CODE = get_language()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        patch_vary_headers(response, ["Accept-Language"])
        response.headers.setdefault("Content-Language", get_language())
        return response


class RightClock:
    """No page comes from a process whose clock is wrong; asked again, another one answers."""

    HEALTH = ("/healthz", "/readyz")  # they say it themselves

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in self.HEALTH or clock.is_right():
            return self.get_response(request)
        return try_again(request)
