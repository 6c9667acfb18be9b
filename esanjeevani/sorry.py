"""What people and programs are told when something is wrong on our side."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

AGAIN_AFTER = 5  # seconds


def try_again(request: HttpRequest) -> HttpResponse:
    """503: nothing was done, and trying again helps."""
    answer = sorry(request, 503, "unavailable")
    answer.headers["Retry-After"] = str(AGAIN_AFTER)
    return answer


def sorry(request: HttpRequest, status: int, code: str) -> HttpResponse:
    """For people a page that needs no database, for programs the shape of all errors."""
    if request.path.startswith(("/api/", "/fhir/")):
        words = _("Something went wrong on our side. Try again in a moment.")
        return JsonResponse({"code": code, "message": words}, status=status)
    return HttpResponse(render_to_string("500.html"), status=status)
