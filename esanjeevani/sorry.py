"""Answers 503 and 500: what people and programs are told when something is wrong on our side."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from esanjeevani.outcome import FHIR_JSON, outcome

AGAIN_AFTER = 5  # seconds
FOR_PROGRAMS = ("/api/", "/fhir/", "/abdm/")


def try_again(request: HttpRequest) -> HttpResponse:
    """503: nothing was done, and trying again helps."""
    answer = sorry(request, 503, "unavailable")
    answer.headers["Retry-After"] = str(AGAIN_AFTER)
    return answer


def sorry(request: HttpRequest, status: int, code: str) -> HttpResponse:
    """For people a page that needs no database, for programs the shape of all errors."""
    if request.path.startswith(FOR_PROGRAMS):
        words = _("Something went wrong on our side. Try again in a moment.")
        return for_program(request, status, {"code": code, "message": words})
    return HttpResponse(render_to_string("500.html"), status=status)


def say_in_words(request: HttpRequest, refused: HttpResponse) -> None:
    """405 without a word, made a page: somebody who signs in again comes back to a button's address."""
    if request.path.startswith(FOR_PROGRAMS):
        return
    refused.content = render_to_string("405.html")
    refused.headers["Content-Length"] = str(len(refused.content))


def for_program(request: HttpRequest, status: int, error: dict[str, str]) -> HttpResponse:
    """An error in the shape of all errors behind this door."""
    if request.path.startswith("/fhir/"):
        return JsonResponse(outcome(error), status=status, content_type=FHIR_JSON)
    return JsonResponse(error, status=status)
