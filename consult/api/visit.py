"""The patient's side, from the waiting room to the stars."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Refused, cleaned, plain
from accounts.api.who import IsPerson
from consult import actions
from consult.api.base import OfConsultation, PatientsVerb, note_reading
from consult.api.prescription_shapes import NoteOutput, PrescriptionOutput
from consult.api.rules import rules
from consult.api.shapes import (
    CallServersOutput,
    ObservationOutput,
    PlaceOutput,
    VitalsInput,
)
from consult.fetch import own_consultation
from consult.forms import VitalsForm
from consult.ice import ice_configuration
from consult.models import Consultation, Note, Observation
from consult.of_consultation import issued_of
from consult.people import Role, role_of
from queues.line import read_line
from queues.models import Presence


class Place(OfConsultation):
    """The place in the line."""

    fetch = staticmethod(own_consultation)
    outputs = {"GET": PlaceOutput}
    is_polled = True

    def get(self, request: Request, consultation: UUID) -> Response:
        """Place and expected wait. Asking says that the patient is there: ask at least every 30 s."""
        found = self.found(request, consultation)
        token = found.token
        if token and token.is_open:
            Presence.renew([token.pk])
        line = read_line(found.clinic, found.patient)
        ahead = line.ahead_of(token.pk) if token else None
        wait = line.wait(ahead) if ahead is not None else None
        place = {"state": found.state, "token": token, "ahead": ahead, "wait": wait}
        return self.answer({**place, "doctors": line.doctors})


class CallServers(OfConsultation):
    """Servers for the call."""

    outputs = {"GET": CallServersOutput}
    refusals = ["ended"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """STUN and TURN servers for this consultation, with fresh credentials."""
        found = self.found(request, consultation)
        role = role_of(found, plain(request).user)
        if role is None or not found.is_open:
            raise Refused("ended", _("The consultation has ended."))
        return self.answer(ice_configuration(found, role))


class Answered(PatientsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.begin(consultation=consultation, by=plain(self.request).user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """The patient was called and comes in."""
        return super().post(request, consultation)


class Left(PatientsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.leave(consultation=consultation, by=plain(self.request).user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """Give the place up."""
        return super().post(request, consultation)


class Issued(OfConsultation):
    """The prescription in force."""

    permission_classes = [IsPerson]
    outputs = {"GET": PrescriptionOutput}
    is_polled = True

    def get(self, request: Request, consultation: UUID) -> Response:
        """The prescription in force; 404 while there is none."""
        found = self.found(request, consultation)
        issued = issued_of(found)
        if issued is None:
            raise Http404
        note_reading(request, "prescription.read", issued, found)
        return self.answer(issued)


class Advice(OfConsultation):
    """What the doctor found and advises, when there is no prescription too."""

    permission_classes = [IsPerson]
    outputs = {"GET": NoteOutput}

    def get(self, request: Request, consultation: UUID) -> Response:
        """Diagnosis, tests, advice and follow-up of a completed consultation; 404 before."""
        found = self.found(request, consultation)
        note = Note.objects.filter(consultation=found).first()
        if note is None or found.state != Consultation.State.COMPLETED:
            raise Http404
        note_reading(request, "note.read", found, found)
        return self.answer(note)


class Vitals(OfConsultation):
    """Vital signs."""

    inputs = {"POST": VitalsInput}
    outputs = {"GET": ObservationOutput, "POST": ObservationOutput}
    statuses = {"POST": 201}
    refusals = ["moved", "not_in_line"]
    lists = {"GET", "POST"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """Everything that was measured, in order."""
        found = self.found(request, consultation)
        note_reading(request, "vitals.read", found, found)
        return self.answer(_measured(found))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Measured while the case waits or is with the doctor; the earlier values stay."""
        found = self.found(request, consultation)
        user = plain(request).user
        if role_of(found, user) not in (Role.PATIENT, Role.HEALTH_WORKER):
            raise Refused("not_in_line", _("Who measures sits with the patient."))
        vitals = vitals_form(self.read()["vitals"]).vitals
        with rules():
            actions.measure_again(consultation=found, vitals=vitals, by=user)
        return self.answer(_measured(found), 201)


def vitals_form(typed: dict[str, float]) -> VitalsForm:
    """The pages' own form. Raises ValidationError."""
    form = VitalsForm({f"vital_{kind}": Decimal(str(value)) for kind, value in typed.items()})
    cleaned(form)
    return form


def _measured(consultation: Consultation) -> list[Observation]:
    rows = list(consultation.observations.all())
    for row in rows:
        row.patient = consultation.patient
    return rows
