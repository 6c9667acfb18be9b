"""A page that does nothing but claim: the service's own URLs and settings, and this one page beside them."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from esanjeevani.sql.prepared import ask
from queues.claim import claim_text

# Whoever was called joins the end of the line again at once, and as anybody: with their priority the
# same hundred would be called again and again, and nobody else ever.
JOINS_AGAIN = """
UPDATE queue_token SET state = 'waiting', doctor_id = NULL, called_at = NULL, priority = 2,
  number = number + 1000000
WHERE id = %(token)s
"""


@require_safe
def claim_next(request: HttpRequest, clinic: int, doctor: int) -> HttpResponse:
    """A claim in the same transaction as in pgbench."""
    asked = {"clinic": clinic, "doctor": doctor}
    asked |= {"now": timezone.now(), "today": timezone.localdate()}
    with transaction.atomic():
        found = ask(claim_text(), asked).rows
        for token, *_columns in found:
            ask(JOINS_AGAIN, {"token": token})
    return HttpResponse(status=200 if found else 409)


def path_of(clinic: int, doctor: int) -> str:
    return f"/bench/claim/{clinic}/{doctor}"


urlpatterns = [
    path("bench/claim/<int:clinic>/<int:doctor>", claim_next),
    path("", include("esanjeevani.urls")),
]
