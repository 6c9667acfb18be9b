from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView, plain
from accounts.fetch import own_patient
from queues.api.shapes import ClinicOutput
from queues.line import standings
from queues.models import Clinic


class Clinics(ApiView):
    """Outpatient clinics, as they stand."""

    outputs = {"GET": ClinicOutput}
    lists = {"GET"}
    is_polled = True
    parameters = {
        "GET": [
            OpenApiParameter("state", {"type": "integer", "minimum": 1, "maximum": 32767},
                             required=True, description="LGD code."),
            OpenApiParameter("patient", {"type": "string", "format": "uuid"},
                             description="For whom: whether the clinic suits them."),
        ]
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        """The outpatient clinics of a state, those that take this patient now first."""
        wanted = request.query_params.get("patient", "")
        patient = own_patient(plain(request), UUID(wanted)) if _is_uid(wanted) else None
        there = Clinic.objects.filter(
            state=_code(request.query_params.get("state", "")), is_active=True, takes_opd=True
        )
        found = list(there.select_related("speciality").prefetch_related("hours"))
        return self.answer(standings(found, patient))


def _code(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and 0 < int(typed[:6]) < 32768 and len(typed) < 6):
        raise ValidationError({"state": [_("Enter a whole number.")]})
    return int(typed)


def _is_uid(typed: str) -> bool:
    """Nothing is nobody; what is not the shape of an id is a mistake."""
    if not typed:
        return False
    try:
        UUID(typed)
    except ValueError:
        raise ValidationError({"patient": [_("This is no id.")]}) from None
    return True
