"""Generics as the doctor types, as JSON. A plain view: it is asked at each pause of the fingers."""

from typing import Any

from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from rest_framework.exceptions import PermissionDenied

from accounts.gates import SignedIn, asks_as_doctor
from consult.drug_search import Found, search_drugs

LONGEST = 80
KEPT_FOR = (
    600  # seconds, by the doctor's browser: it helps to find, what may be issued is checked anew
)


@require_safe
def drugs_typed(request: SignedIn) -> JsonResponse:
    """`?q=para`: at most 12 ways to write a generic, with form, strength and what the rules say."""
    if not asks_as_doctor(request):
        words = str(PermissionDenied.default_detail)
        return JsonResponse({"code": PermissionDenied.default_code, "message": words}, status=403)
    return _found(request)


@cache_control(private=True, max_age=KEPT_FOR)
def _found(request: SignedIn) -> JsonResponse:
    rows = [_row(found) for found in search_drugs(request.GET.get("q", "")[:LONGEST])]
    return JsonResponse(rows, safe=False)


def _row(found: Found) -> dict[str, Any]:
    product = found.product
    return {
        "generic": found.generic,
        "name": found.name,
        "form": product.form if product else "",
        "form_name": product.get_form_display() if product else "",
        "strength": product.strength if product else "",
        "rule": found.rule,
    }
