"""A case on its way: to a clinic, to another one, back to the health centre and out again."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Speciality
from consult import actions
from consult.api.base import CentresVerb, fresh, note_reading
from consult.api.centre import facility_of, user_of
from consult.api.centre_shapes import ChoiceOutput, MoveInput, SendAgainInput, SendInput
from consult.api.rules import NO_TOKEN, rules
from consult.models import Consultation
from consult.readiness import Attested, obstacles
from consult.views.centre.send import YES, why_not_ready
from queues.assignment import Choice, choose, linked_clinics
from queues.models import Clinic

SENDING = [*NO_TOKEN, "not_ready", "already_sent", "moved"]


class Choices(CentresVerb):
    """Where one case can be sent."""

    outputs = {"GET": ChoiceOutput}
    http_method_names = ["get", "head", "options"]
    parameters = {
        "GET": [
            OpenApiParameter("speciality", {"type": "string", "maxLength": 40},
                             description="Its code; the case's own unless another one is said."),
        ]
    }  # fmt: skip

    def get(self, request: Request, consultation: UUID) -> Response:
        """The linked clinics of one speciality as they stand, the one proposed, and what is in the way."""
        found = self.found(request, consultation)
        note_reading(request, "case.read", found, found)
        wanted = request.query_params.get("speciality") or found.clinic.speciality.code
        speciality = Speciality.objects.filter(code=wanted).first()
        facility = facility_of(request)
        choice = Choice(None, [])
        if speciality is not None:
            choice = choose(spoke=facility, speciality=speciality, patient=found.patient)
        first = choice.everywhere[0].clinic if choice.everywhere else None
        found.facility = facility
        waits_for = obstacles(found, first, YES) if first else ["no_link"]
        return self.answer(
            {
                "proposed": choice.proposed,
                "everywhere": choice.everywhere,
                "obstacles": {code: why_not_ready(code) for code in waits_for},
            }
        )


class Send(CentresVerb):
    inputs = {"POST": SendInput}
    refusals = SENDING

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.send_case(draft=consultation, sending=self.sending(typed), by=user_of(self.request))

    def sending(self, typed: dict[str, Any]) -> actions.Sending:
        facility = facility_of(self.request)
        proposed = typed.get("proposed")
        return actions.Sending(
            clinic=_linked(facility, typed["clinic"]),
            proposed=_linked(facility, proposed) if proposed else None,
            said=Attested(consent_given=typed["consent"], patient_is_present=typed["is_present"]),
            because=typed.get("because", ""),
            is_written=typed["is_written"],
            how=typed["how"],
            language=typed["language"],
            phone=typed["phone"],
        )

    def post(self, request: Request, consultation: UUID) -> Response:
        """Past the gates, into the line. `not_ready` says in `fields` everything that is in the way."""
        return super().post(request, consultation)


def _linked(facility: Any, uid: UUID) -> Clinic:
    """A clinic to which this health centre is linked; 404 for any other."""
    linked = {clinic.uid: clinic for clinic in linked_clinics(facility)}
    if uid not in linked:
        raise Http404
    return linked[uid]


class Reopen(CentresVerb):
    def post(self, request: Request, consultation: UUID) -> Response:
        """A new draft with everything of a case that came back, to mend it."""
        found = self.found(request, consultation)
        self.read()
        with rules():
            draft = actions.reopen_case(earlier=found, by=user_of(request))
        return self.answer(fresh(draft))


class Move(CentresVerb):
    inputs = {"POST": MoveInput}
    refusals = SENDING

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.move_case(
            consultation=consultation,
            clinic=_linked(facility_of(self.request), typed["clinic"]),
            because=typed.get("because", ""),
            by=user_of(self.request),
        )

    def post(self, request: Request, consultation: UUID) -> Response:
        """A case that waits goes to another linked clinic; it has a place there at once."""
        return super().post(request, consultation)


class InWriting(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.ask_in_writing(consultation=consultation, by=user_of(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """A case that waits gives its place up and is answered in writing."""
        return super().post(request, consultation)


class SendAgain(CentresVerb):
    inputs = {"POST": SendAgainInput}
    refusals = SENDING

    def post(self, request: Request, consultation: UUID) -> Response:
        """What came back goes to another clinic as it is; answers the new consultation."""
        found = self.found(request, consultation)
        typed = self.read()
        sending = actions.Sending(
            _linked(facility_of(request), typed["clinic"]),
            proposed=None,
            said=Attested(consent_given=True, patient_is_present=typed["is_present"]),
            is_written=typed["is_written"],
        )
        with rules():
            sent = actions.send_again(earlier=found, sending=sending, by=user_of(request))
        return self.answer(fresh(sent))
