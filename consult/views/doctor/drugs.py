"""Generics as the doctor types, as JSON. No end of the API: it is asked at each pause of the fingers."""

import json
import time
from functools import lru_cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from rest_framework.exceptions import PermissionDenied

from accounts.gates import SignedIn, asks_as_doctor
from consult.drug_search import Found, search_drugs
from consult.models.formulary import name_key

LONGEST = 80
# Seconds that an answer is kept: it helps to find, what may be issued is checked anew. Together ten minutes.
KEPT_FOR = 540  # by the doctor's browser
KEPT_HERE = 60  # by this process, for everybody: many a doctor types the same
ANSWERS_KEPT = 2_000


class NothingFound(Exception):
    """No generic has a name like that."""


@require_safe
def drugs_typed(request: SignedIn) -> HttpResponse:
    """`?q=para`: at most 12 ways to write a generic, with form, strength and what the rules say.

    Where they are the `whole` of what there is, the page looks through them for a longer text itself.
    """
    if not asks_as_doctor(request):
        words = str(PermissionDenied.default_detail)
        return JsonResponse({"code": PermissionDenied.default_code, "message": words}, status=403)
    return _found(request)


@cache_control(private=True, max_age=KEPT_FOR)
def _found(request: SignedIn) -> HttpResponse:
    typed = name_key(request.GET.get("q", "")[:LONGEST])
    try:
        answer = answer_to(typed, get_language(), int(time.monotonic() // KEPT_HERE))
    except NothingFound:
        answer = '{"rows": [], "whole": true}'
    return HttpResponse(answer, content_type="application/json")


@lru_cache(maxsize=ANSWERS_KEPT)
def answer_to(typed: str, language: str | None, since: int) -> str:
    """As JSON. One of an earlier minute is not found again. Raises NothingFound, which is not kept."""
    del language, since
    search = search_drugs(typed)
    if not search.rows:
        raise NothingFound
    shown = {"rows": [_row(found) for found in search.rows], "whole": search.is_whole}
    return json.dumps(shown, cls=DjangoJSONEncoder)


def _row(found: Found) -> dict[str, Any]:
    product = found.product
    return {
        "generic": found.generic,
        "name": found.name,
        "form": product.form if product else "",
        "form_name": product.get_form_display() if product else "",
        "strength": product.strength if product else "",
        "rule": found.rule,
        "key": name_key(found.name),
    }
