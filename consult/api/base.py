"""Ends about one consultation: fetched through the person who asks, changed by one action."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, Nothing, plain
from accounts.api.who import IsDoctor, IsHealthWorker
from consult.api.rules import rules
from consult.api.shapes import ConsultationOutput
from consult.fetch import (
    centres_consultation,
    doctors_consultation,
    own_consultation,
    visible_consultation,
)
from consult.models import Consultation


class OfConsultation(ApiView):
    """`fetch` says whose consultation it must be; a stranger gets 404 and is written down."""

    tag = "consultations"
    fetch: Any = staticmethod(visible_consultation)

    def found(self, request: Request, uid: UUID) -> Consultation:
        found: Consultation = self.fetch(plain(request), uid)
        return found


class Verb(OfConsultation):
    """One thing that is done to a consultation; it is answered as it is then."""

    inputs: ClassVar[dict[str, Any]] = {"POST": Nothing}
    outputs: ClassVar[dict[str, Any]] = {"POST": ConsultationOutput}
    refusals = ["moved"]
    # Whether act() leaves the consultation as it then stands; else it is read once more.
    tells_itself = False

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> Any:
        raise NotImplementedError

    def post(self, request: Request, consultation: UUID) -> Response:
        found = self.found(request, consultation)
        typed = self.read()
        with rules():
            self.act(found, typed)
        return self.answer(found if self.tells_itself else fresh(found))


def fresh(consultation: Consultation) -> Consultation:
    return Consultation.objects.with_people().get(pk=consultation.pk)


class PatientsVerb(Verb):
    """By the account of the patient."""

    fetch = staticmethod(own_consultation)


class DoctorsVerb(Verb):
    """By the doctor who called or sees the patient."""

    permission_classes = [IsDoctor]
    fetch = staticmethod(doctors_consultation)
    tag = "doctor"

    @property
    def doctor(self) -> Any:
        return plain(self.request).user.doctor


class CentresVerb(Verb):
    """By a health worker of the centre that asked."""

    permission_classes = [IsHealthWorker]
    fetch = staticmethod(centres_consultation)
    tag = "cases"


def note_reading(request: Request, action: str, row: Any, consultation: Consultation) -> None:
    record(action, row, by=plain(request).user, patient=consultation.patient)
