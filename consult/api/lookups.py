"""What is looked up while a doctor writes: the formulary, and the ICD-10 where it is installed."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.who import IsDoctor
from consult.api.prescription_shapes import CodeOutput, DrugOutput
from consult.drug_search import search_drugs
from consult.icd10 import search


def _asked(request: Request) -> str:
    typed = request.query_params.get("q", "")
    if not 2 <= len(typed) <= 80:
        raise ValidationError({"q": [_("Write 2 to 80 letters.")]})
    return typed


class Drugs(ApiView):
    """The formulary."""

    permission_classes = [IsDoctor]
    outputs = {"GET": DrugOutput}
    lists = {"GET"}
    parameters = {
        "GET": [
            OpenApiParameter("q", {"type": "string", "minLength": 2, "maxLength": 80}, required=True,
                             description="The beginning of a generic's or another usual name."),
        ]
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        """At most 12 ways to write a generic, and what the rules say of it."""
        return self.answer(search_drugs(_asked(request)).rows)


class Icd10(ApiView):
    """The ICD-10, where it is installed."""

    permission_classes = [IsDoctor]
    outputs = {"GET": CodeOutput}
    lists = {"GET"}
    parameters = {
        "GET": [
            OpenApiParameter("q", {"type": "string", "minLength": 2, "maxLength": 80}, required=True,
                             description="The beginning of a code, or words of a title."),
        ]
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        """At most 20 codes. Empty where the table is not installed: words alone always do."""
        return self.answer(search(_asked(request)))
