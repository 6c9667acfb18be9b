"""Generics as the doctor types, as JSON."""

from typing import cast

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.gates import SignedIn, by_password, is_doctor
from consult.drug_search import search_drugs


class DrugSearch(APIView):
    """`?q=para`: at most 12 ways to write a generic, with form, strength and what the rules say."""

    def get(self, request: Request) -> Response:
        plain = cast(SignedIn, request._request)
        if not (by_password(plain.session) and plain.user.is_verified() and is_doctor(plain.user)):
            raise PermissionDenied
        rows = [
            {
                "generic": found.generic,
                "name": found.name,
                "form": found.product.form if found.product else "",
                "form_name": found.product.get_form_display() if found.product else "",
                "strength": found.product.strength if found.product else "",
                "rule": found.rule,
            }
            for found in search_drugs(request.query_params.get("q", "")[:80])
        ]
        return Response(rows)
