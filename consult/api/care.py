"""Earlier care that decides what the rules allow, and emergencies."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import cleaned, plain
from consult import actions
from consult.api.base import DoctorsVerb, OfConsultation, note_reading
from consult.api.care_shapes import (
    EmergencyInput,
    EmergencyOutput,
    PaperInput,
    PaperOutput,
    VisitInput,
    VisitOutput,
)
from consult.api.rules import rules
from consult.forms import EmergencyForm, PaperForm, VisitForm
from consult.models import Consultation, EmergencyReferral, FollowUpLink, InPersonVisit


class OfVisits(DoctorsVerb):
    """Visits in person of this doctor with this patient."""

    outputs = {"GET": VisitOutput, "POST": VisitOutput}

    def visits(self, consultation: Consultation) -> list[InPersonVisit]:
        """Each with whether this consultation follows it up; the newest first."""
        link = FollowUpLink.objects.filter(consultation=consultation).first()
        mine = InPersonVisit.objects.filter(patient=consultation.patient_id, doctor=self.doctor)
        rows = list(mine[:50])
        for row in rows:
            row.is_linked = link is not None and link.visit_id == row.pk  # type: ignore[attr-defined]
        return rows

    def one(self, consultation: Consultation, pk: int) -> InPersonVisit:
        found = next((row for row in self.visits(consultation) if row.pk == pk), None)
        if found is None:
            raise Http404
        return found


class Visits(OfVisits):
    """Visits in person of this doctor with this patient."""

    inputs = {"POST": VisitInput}
    statuses = {"POST": 201}
    lists = {"GET"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """What this doctor noted of seeing this patient in person, the newest first."""
        found = self.found(request, consultation)
        note_reading(request, "visits.read", found, found)
        return self.answer(self.visits(found))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Note a visit; this consultation then is its follow-up (guidelines 3.4).

        Only the same doctor, in person, for the same condition, within six months.
        """
        found = self.found(request, consultation)
        form = VisitForm(self.read())
        cleaned(form)
        said = {name: form.cleaned_data[name] for name in VisitForm.Meta.fields}
        with rules():
            visit = actions.record_visit(consultation=found, by=self.doctor.user, **said)
        return self.answer(self.one(found, visit.pk), 201)


class LinkVisit(OfVisits):
    def post(self, request: Request, consultation: UUID, visit: int) -> Response:  # type: ignore[override]
        """This consultation follows that visit up."""
        found = self.found(request, consultation)
        self.read()
        earlier = self.one(found, visit)
        with rules():
            actions.link_visit(consultation=found, visit=earlier, by=self.doctor.user)
        return self.answer(self.one(found, visit))


class UnlinkVisit(DoctorsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.unlink_visit(consultation=consultation, by=self.doctor.user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """It follows no visit up: a first consultation after all."""
        return super().post(request, consultation)


class Papers(DoctorsVerb):
    """Earlier prescriptions that the doctor has seen."""

    inputs = {"POST": PaperInput}
    outputs = {"GET": PaperOutput, "POST": PaperOutput}
    statuses = {"POST": 201}
    lists = {"GET"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """The medicines on earlier prescriptions that the doctor has seen."""
        found = self.found(request, consultation)
        note_reading(request, "papers.read", found, found)
        return self.answer(list(found.paper_prescriptions.all()))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Note a medicine of an earlier prescription: continuing it is a refill, not a beginning."""
        found = self.found(request, consultation)
        said = cleaned(PaperForm(self.read()))
        with rules():
            paper = actions.record_paper(consultation=found, by=self.doctor.user, **said)
        return self.answer(paper, 201)


class Emergency(OfConsultation):
    """The emergency of a consultation."""

    outputs = {"GET": EmergencyOutput}
    is_polled = True

    def get(self, request: Request, consultation: UUID) -> Response:
        """That the doctor called it an emergency, to everybody in it; 404 while it is none."""
        found = self.found(request, consultation)
        emergency = EmergencyReferral.objects.filter(consultation=found).first()
        if emergency is None:
            raise Http404
        note_reading(request, "emergency.read", found, found)
        return self.answer(emergency)


class DeclareEmergency(DoctorsVerb):
    outputs = {"POST": EmergencyOutput}

    def post(self, request: Request, consultation: UUID) -> Response:
        """From now on first aid and the way to a hospital only; the patient is told. Twice is once."""
        found = self.found(request, consultation)
        self.read()
        with rules():
            emergency = actions.declare_emergency(consultation=found, by=self.doctor.user)
        return self.answer(emergency)


class ReferEmergency(DoctorsVerb):
    inputs = {"POST": EmergencyInput}

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        form = EmergencyForm(typed)
        cleaned(form)
        said = {name: form.cleaned_data[name] for name in EmergencyForm.Meta.fields}
        actions.refer_emergency(consultation=consultation, by=plain(self.request).user, **said)

    def post(self, request: Request, consultation: UUID) -> Response:
        """End an emergency with first aid and the way to a hospital: its only end."""
        return super().post(request, consultation)
