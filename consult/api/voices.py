"""What anybody may say or ask of the service: stars, reports, complaints, and whether a paper is true."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.address import current_address
from accounts.api.base import ApiView, Refused, cleaned, plain
from accounts.models import RateLimit, User
from consult import actions
from consult.api.base import PatientsVerb, Verb
from consult.api.care_shapes import (
    CheckedOutput,
    FeedbackOutput,
    GrievanceInput,
    GrievanceOutput,
    ReportInput,
)
from consult.api.shapes import ConsultationOutput, FeedbackInput
from consult.checking import dispensed_state, find_prescription, standing_of
from consult.forms import CheckForm, FeedbackForm, GrievanceForm
from consult.models import Consultation, Feedback
from consult.views.public import CHECKS_PER_ADDRESS, GRIEVANCES_PER_ADDRESS

HOUR = timedelta(hours=1)


class Stars(PatientsVerb):
    """How it was."""

    inputs = {"POST": FeedbackInput}
    outputs = {"GET": FeedbackOutput, "POST": ConsultationOutput}
    refusals = ["not_completed"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """The stars and words that were given; 404 before."""
        given = Feedback.objects.filter(consultation=self.found(request, consultation)).first()
        if given is None:
            raise Http404
        return self.answer(given)

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        if consultation.state != Consultation.State.COMPLETED:
            raise Refused("not_completed", _("The consultation is not complete."))
        said = cleaned(FeedbackForm(typed))
        actions.give_feedback(consultation=consultation, by=plain(self.request).user, **said)

    def post(self, request: Request, consultation: UUID) -> Response:
        """How it was: stars and words. Sending again replaces them."""
        return super().post(request, consultation)


class Report(Verb):
    """How the other side behaves."""

    inputs = {"POST": ReportInput}

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        words = typed.get("words", "").strip()
        actions.report_abuse(consultation=consultation, by=plain(self.request).user, words=words)

    def post(self, request: Request, consultation: UUID) -> Response:
        """End the talk because of how the other side behaves; doctor and patient never meet again."""
        return super().post(request, consultation)


class Grievances(ApiView):
    """Complaints."""

    permission_classes: Any = []
    inputs = {"POST": GrievanceInput}
    outputs = {"POST": GrievanceOutput}
    statuses = {"POST": 201}

    def post(self, request: Request) -> Response:
        """Complain, with or without an account. The number is for asking later."""
        form = GrievanceForm(self.read())
        cleaned(form)
        limit("grievances from", GRIEVANCES_PER_ADDRESS)
        user = request.user if isinstance(request.user, User) else None
        filed = actions.complain(grievance=form.save(commit=False), by=user)
        return self.answer(filed, 201)


class Check(ApiView):
    """Whether a prescription on paper is true."""

    permission_classes: Any = []
    outputs = {"GET": CheckedOutput}
    tag = "prescriptions"
    parameters = {
        "GET": [
            OpenApiParameter("code", {"type": "string", "minLength": 1, "maxLength": 40},
                             required=True, description="The code on the paper, spaces allowed."),
        ]
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        """Valid, replaced or altered; doctor, date and number of medicines. 404 for an unknown code."""
        typed = request.query_params.get("code", "")
        code = typed if len(typed) == 22 else _short_code(typed)
        limit("checks from", CHECKS_PER_ADDRESS)
        found = find_prescription(code)
        if found is None:
            raise Http404
        shown: Any = found
        shown.standing, shown.dispensed = standing_of(found), dispensed_state(found)
        shown.medicines = len((found.document or {})["lines"])
        return self.answer(shown)


def _short_code(typed: str) -> str:
    form = CheckForm({"code": typed})
    if not form.is_valid():
        raise ValidationError({"code": [str(one) for one in form.errors["code"]]})
    return str(form.cleaned_data["code"])


def limit(what: str, most: int) -> None:
    """As on the pages, an hour of one address. Raises Refused with 429."""
    wait = RateLimit.hit(what, current_address() or "", limit=most, window=HOUR)
    if wait:
        refused = Refused("too_many", _("Too many tries. Wait a little."), 429)
        refused.wait = wait  # type: ignore[attr-defined]
        raise refused
