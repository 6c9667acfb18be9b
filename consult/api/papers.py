"""What is printed: the prescription in both sizes, letters of referral."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Refused, plain
from accounts.gates import get_or_refuse
from consult import actions
from consult.api.base import OfConsultation, note_reading
from consult.api.shapes import ReferralOutput
from consult.models import Referral
from consult.of_consultation import issued_of
from consult.pdf import Paper
from consult.pdf.letter import render_letter
from consult.views.patient.visit import download, inline_pdf

PDF = {(200, "application/pdf"): bytes}


class IssuedPdf(OfConsultation):
    """The prescription on paper."""

    outputs = {"GET": PDF}
    refusals = ["soon"]
    parameters = {
        "GET": [
            OpenApiParameter("paper", {"type": "string", "enum": [one.value for one in Paper]},
                             description="The size; a4 unless another one is said."),
        ]
    }  # fmt: skip

    def get(self, request: Request, consultation: UUID) -> Any:
        """The signed PDF; `soon` while it is being made: ask again."""
        paper = _paper(request)
        found = self.found(request, consultation)
        issued = issued_of(found)
        if issued is None:
            raise Http404
        note_reading(request, "prescription.read", issued, found)
        kept = actions.paper_of(issued, paper)
        if kept is None:
            raise Refused("soon", _("The PDF is being made. Ask again in a moment."))
        return download(kept, paper.file_name(issued.number), "application/pdf")


def _paper(request: Request) -> Paper:
    try:
        return Paper(request.query_params.get("paper", Paper.A4.value))
    except ValueError:
        raise ValidationError({"paper": [_("Choose a4 or a5.")]}) from None


class Letters(OfConsultation):
    """Letters of referral."""

    outputs = {"GET": ReferralOutput}
    lists = {"GET"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """The letters that send the patient to be seen in person."""
        found = self.found(request, consultation)
        note_reading(request, "referral.read", found, found)
        return self.answer(list(found.referrals.select_related("facility")))


class LetterPdf(OfConsultation):
    """One letter on paper."""

    outputs = {"GET": PDF}

    def get(self, request: Request, consultation: UUID, referral: UUID) -> Any:
        """The letter as PDF, to everybody who is in the consultation."""
        found = self.found(request, consultation)
        kept = get_or_refuse(
            found.referrals.all(), Referral.objects.all(), plain(request), uid=referral
        )
        note_reading(request, "referral.read", kept, found)
        return inline_pdf(render_letter(kept), f"{kept.number}.pdf")
