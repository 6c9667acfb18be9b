"""A page that does nothing but claim: the service's own URLs and settings, and this one page beside them."""

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from queues.claim import claim_text

# Whoever was called joins the end of the line again at once, and as anybody: with their priority the
# same hundred would be called again and again, and nobody else ever.
SERVED = """
UPDATE queue_token SET state = 'waiting', doctor_id = NULL, called_at = NULL, priority = 2,
  number = number + 1000000
WHERE doctor_id = %(doctor)s AND state IN ('called', 'serving')
"""


@require_safe
def claim_next(request: HttpRequest, clinic: int, doctor: int) -> HttpResponse:
    """A claim in the same transaction as in pgbench."""
    asked = {"clinic": clinic, "doctor": doctor}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(claim_text(), asked | {"now": timezone.now(), "today": timezone.localdate()})
        found = cursor.fetchone()
        cursor.execute(SERVED, asked)
    return HttpResponse(str(found[0]) if found else "", status=200 if found else 409)


def path_of(clinic: int, doctor: int) -> str:
    return f"/bench/claim/{clinic}/{doctor}"


urlpatterns = [
    path("bench/claim/<int:clinic>/<int:doctor>", claim_next),
    path("", include("esanjeevani.urls")),
]
