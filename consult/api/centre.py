"""The health centre's cases until they are sent."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, cleaned
from accounts.api.who import IsHealthWorker
from accounts.gates import get_or_refuse
from accounts.models import Facility
from consult import actions
from consult.actions.cases import vitals_of
from consult.api.base import CentresVerb, fresh
from consult.api.booking import Files, OneFile
from consult.api.centre_shapes import CaseInput, CaseOpenInput
from consult.api.rules import rules
from consult.api.shapes import ConsultationOutput
from consult.fetch import centres_consultation, known_patient
from consult.forms import CentreCaseForm
from consult.models import Consultation, FollowUp
from consult.models.consultations import ConsultationQuerySet

# Parts of a centre's cases.
ONLY: dict[str, Callable[[Facility], ConsultationQuerySet]] = {
    "drafts": lambda here: Consultation.objects.of_centre(here).filter(state="draft"),
    "open": lambda here: Consultation.objects.of_centre(here).open(),
    "came_back": lambda here: Consultation.objects.came_back(here),
}


class AtCentre(ApiView):
    """At one health centre; `?facility=` chooses among several of a health worker's posts."""

    permission_classes = [IsHealthWorker]

    @property
    def here(self) -> Any:
        """Django's request, with the facility."""
        return self.request._request


class Cases(AtCentre):
    """The cases of a health centre."""

    inputs = {"POST": CaseOpenInput}
    outputs = {"GET": ConsultationOutput, "POST": ConsultationOutput}
    statuses = {"POST": 201}
    refusals = ["no_hub"]
    is_paged = is_polled = True
    parameters = {
        "GET": [
            OpenApiParameter("only", {"type": "string", "enum": list(ONLY)},
                             description="Drafts, what is under way, or what came back."),
        ]
    }  # fmt: skip

    def get(self, request: Request) -> Response:
        """What this health centre wrote or sent, newest first; all of it, or a part."""
        only = request.query_params.get("only")
        if only not in (None, *ONLY):
            raise ValidationError({"only": [_("Choose one of the values of the document.")]})
        facility = self.here.facility
        record("centre.read", f"facility:{facility.pk}", by=self.here.user)
        chosen = ONLY[only](facility) if only else Consultation.objects.of_centre(facility)
        return self.paged(chosen.with_people())

    def post(self, request: Request) -> Response:
        """The draft of this patient here: the one that is there, or a new one."""
        typed = self.read()
        person = known_patient(self.here, typed["patient"])
        follow_up = None
        if wanted := typed.get("follow_up"):
            ours = FollowUp.objects.of_centre(self.here.facility).filter(patient=person)
            follow_up = get_or_refuse(ours, FollowUp.objects.all(), self.here, uid=wanted)
        with rules():
            draft = actions.open_case(
                patient=person,
                facility=self.here.facility,
                by=self.here.user,
                follow_up=follow_up,
            )
        return self.answer(fresh(draft), 201)


class OneCase(CentresVerb):
    """One case of this health centre."""

    inputs = {"PUT": CaseInput}
    outputs = {"PUT": ConsultationOutput}
    refusals = ["changed", "moved"]
    http_method_names = ["put", "options"]

    def put(self, request: Request, consultation: UUID) -> Response:
        """Keep the whole case. `changed`: a colleague saved since `revision`; nothing is lost."""
        found = self.found(request, consultation)
        typed = self.read()
        vitals = typed.pop("vitals", None)
        data = typed | {f"vital_{kind}": value for kind, value in (vitals or {}).items()}
        form = CentreCaseForm(data, instance=found, patient=found.patient)
        cleaned(form)
        kept = form.vitals if vitals is not None else vitals_of(found)
        found.refresh_from_db()
        with rules():
            saved = actions.save_case(
                draft=found,
                by=user_of(request),
                revision=typed["revision"],
                words=form.words,
                vitals=kept,
            )
        return self.answer(fresh(saved))


def user_of(request: Request) -> Any:
    return request._request.user


def facility_of(request: Request) -> Any:
    """The health centre that the permission has found."""
    plain: Any = request._request
    return plain.facility


class DiscardCase(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.discard_draft(consultation=consultation, by=user_of(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """The case is not sent: the draft goes."""
        return super().post(request, consultation)


class CaseFiles(Files):
    """Photos and reports of one case."""

    permission_classes = [IsHealthWorker]
    fetch = write_to = staticmethod(centres_consultation)
    tag = "cases"


class OneCaseFile(OneFile):
    """One file of a case."""

    permission_classes = [IsHealthWorker]
    fetch = write_to = staticmethod(centres_consultation)
    tag = "cases"
