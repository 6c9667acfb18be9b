"""Pages and answers that belong to no app: home, health, errors."""

import logging
import sys
from typing import Any

import redis
from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from esanjeevani.clock import clock
from esanjeevani.rendering.kept import in_each_language
from esanjeevani.sorry import for_program, sorry, try_again

log = logging.getLogger(__name__)
# Swagger UI comes as files of this site, but writes HTML: no Trusted Types on its page.
SWAGGER_CSP = {
    "style-src": [SELF, UNSAFE_INLINE],
    "require-trusted-types-for": None,
    "trusted-types": None,
}


class ApiDocument(SpectacularAPIView):
    """The OpenAPI document, for everybody."""

    permission_classes: Any = []

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen: Any = request.accepted_renderer
        kind = chosen.media_type + (f"; charset={chosen.charset}" if chosen.charset else "")
        answer = HttpResponse(_document(type(chosen)), content_type=kind)
        name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{chosen.format}"
        answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
        return answer


@in_each_language(most=8)
def _document(form: type[BaseRenderer]) -> str | bytes:
    """Half a second's work, and the same for everybody who asks: done once by each process."""
    made: Any = SchemaGenerator
    return form().render(made().get_schema(public=True), renderer_context={})


@method_decorator(csp_replace(SWAGGER_CSP), name="dispatch")
class ApiPage(SpectacularSwaggerSplitView):
    """The OpenAPI document to read and try, for staff; others get 404, as everywhere."""

    url_name = "api_schema"

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        if not (getattr(request.user, "is_staff", False) and request.user.is_verified()):
            raise Http404
        super().initial(request, *args, **kwargs)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive. Never asks the database: a slow database must not restart the pages."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Ready to serve. Without the database it is not; without Redis pages go on, "degraded"."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("Not ready: %s", error)
        return JsonResponse({"status": "down", "database": "away"}, status=503)
    if not clock.is_right():
        return JsonResponse({"status": "down", "clock": "wrong"}, status=503)
    return JsonResponse({"status": "ok"} if _redis_answers() else {"status": "degraded"})


def _redis_answers() -> bool:
    if settings.IN_MEMORY:
        return True
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@csrf_exempt
def no_such_end(request: HttpRequest) -> HttpResponse:
    """A program is answered as one."""
    words = _("There is nothing at this address.")
    return for_program(request, 404, {"code": "not_found", "message": words})


def server_error(request: HttpRequest) -> HttpResponse:
    """What nobody foresaw: 500. Without the database, or a lock of it, trying again helps: 503."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return try_again(request)
    return sorry(request, 500, "error")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's safety key was too old: nothing was done, and going back keeps what was typed."""
    log.info("CSRF refused: %s", reason)
    return render(request, "errors/csrf.html", status=403)


def api_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every API error has one shape: {"code", "message"} and, for bad input, "fields"."""
    answer = exception_handler(error, context)
    if answer is None:
        return None
    set_rollback()
    if isinstance(error, ValidationError):
        fields = answer.data if isinstance(answer.data, dict) else {"non_field_errors": answer.data}
        answer.data = {
            "code": "invalid",
            "message": _("Something in it is not right."),
            "fields": fields,
        }
        return answer
    code = error.get_codes() if isinstance(error, APIException) else CODES[answer.status_code]
    detail = answer.data.get("detail", "") if isinstance(answer.data, dict) else ""
    answer.data = {"code": code, "message": str(detail), **getattr(error, "fields", {})}
    return answer


# Of Django's own exceptions, which have none.
CODES = {403: "permission_denied", 404: "not_found"}
