"""The health centre's side: cases, sending, what was asked, dispensing, follow-ups."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, cleaned
from accounts.api.shapes import PatientOutput
from accounts.api.who import IsHealthWorker
from accounts.gates import get_or_refuse
from accounts.models import Patient
from consult import actions
from consult.actions.cases import vitals_of
from consult.api.base import CentresVerb, fresh
from consult.api.rules import NO_TOKEN, rules
from consult.api.shapes import (
    CaseInput,
    CaseOpenInput,
    ConsultationOutput,
    DispensingInput,
    FollowUpInput,
    FollowUpOutput,
    InstructionAnswerInput,
    InstructionOutput,
    MoveInput,
    PrescriptionOutput,
    SendInput,
)
from consult.fetch import known_patient
from consult.forms import CentreCaseForm, DispensingForm
from consult.models import Consultation, FollowUp, Instruction
from consult.readiness import Attested
from consult.views.visit import issued_of
from queues.assignment import linked_clinics
from queues.models import Clinic

SENDING = [*NO_TOKEN, "not_ready", "already_sent", "moved"]


class AtCentre(ApiView):
    """At one health centre; `?facility=` chooses among several of a health worker's posts."""

    permission_classes = [IsHealthWorker]

    @property
    def here(self) -> Any:
        """Django's request, with the facility."""
        return self.request._request


class CentrePatients(AtCentre):
    """Whom this health centre has had before it."""

    tag = "cases"
    outputs = {"GET": PatientOutput}
    is_paged = True

    def get(self, request: Request) -> Response:
        """Patients who were enrolled here, newest first. A stranger is enrolled on the pages."""
        record("patients.list", f"facility:{self.here.facility.pk}", by=self.here.user)
        return self.paged(Patient.objects.known_at(self.here.facility))


class Cases(AtCentre):
    """The cases of a health centre."""

    inputs = {"POST": CaseOpenInput}
    outputs = {"GET": ConsultationOutput, "POST": ConsultationOutput}
    statuses = {"POST": 201}
    refusals = ["no_hub"]
    is_paged = is_polled = True

    def get(self, request: Request) -> Response:
        """Everything this health centre wrote or sent, newest first."""
        record("centre.read", f"facility:{self.here.facility.pk}", by=self.here.user)
        return self.paged(Consultation.objects.with_people().of_centre(self.here.facility))

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
                by=_user(request),
                revision=typed["revision"],
                words=form.words,
                vitals=kept,
            )
        return self.answer(fresh(saved))


def _user(request: Request) -> Any:
    return request._request.user


def _facility(request: Request) -> Any:
    """The health centre that the permission has found."""
    plain: Any = request._request
    return plain.facility


class Send(CentresVerb):
    inputs = {"POST": SendInput}
    refusals = SENDING

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.send_case(draft=consultation, sending=self.sending(typed), by=_user(self.request))

    def sending(self, typed: dict[str, Any]) -> actions.Sending:
        facility = _facility(self.request)
        proposed = typed.get("proposed")
        return actions.Sending(
            clinic=_linked(facility, typed["clinic"]),
            proposed=_linked(facility, proposed) if proposed else None,
            said=Attested(consent_given=typed["consent"], patient_is_present=typed["is_present"]),
            because=typed.get("because", ""),
            is_written=typed["is_written"],
            how=typed["how"],
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
            draft = actions.reopen_case(earlier=found, by=_user(request))
        return self.answer(fresh(draft))


class Move(CentresVerb):
    inputs = {"POST": MoveInput}
    refusals = SENDING

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.move_case(
            consultation=consultation,
            clinic=_linked(_facility(self.request), typed["clinic"]),
            because=typed.get("because", ""),
            by=_user(self.request),
        )

    def post(self, request: Request, consultation: UUID) -> Response:
        """A case that waits goes to another linked clinic; it has a place there at once."""
        return super().post(request, consultation)


class InWriting(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.ask_in_writing(consultation=consultation, by=_user(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """A case that waits gives its place up and is answered in writing."""
        return super().post(request, consultation)


class Begin(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.begin(consultation=consultation, by=_user(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """The doctor calls, and the patient sits here: go in."""
        return super().post(request, consultation)


class Leave(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.leave(consultation=consultation, by=_user(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Take the case back before the doctor has begun."""
        return super().post(request, consultation)


class Settle(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.settle(consultation=consultation, by=_user(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """What came back is dealt with and not sent again."""
        return super().post(request, consultation)


class Instructions(CentresVerb):
    """What the doctor asked the health worker to do."""

    outputs = {"GET": InstructionOutput}
    lists = {"GET"}
    is_polled = True
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """What the doctor asked for, in order."""
        return self.answer(list(self.found(request, consultation).instructions.all()))


class CarryOut(CentresVerb):
    inputs = {"POST": InstructionAnswerInput}
    outputs = {"POST": InstructionOutput}

    def post(self, request: Request, consultation: UUID, instruction: int) -> Response:  # type: ignore[override]
        """It is done; what was found goes to the doctor."""
        found = self.found(request, consultation)
        typed = self.read()
        asked = found.instructions.filter(pk=min(instruction, 2**62)).first()
        if asked is None:
            raise Http404
        with rules():
            actions.carry_out(instruction=asked, by=_user(request), answer=typed.get("answer", ""))
        return self.answer(Instruction.objects.get(pk=asked.pk))


class Dispense(CentresVerb):
    inputs = {"POST": DispensingInput}
    outputs = {"POST": PrescriptionOutput}

    def post(self, request: Request, consultation: UUID) -> Response:
        """What was given out of each medicine. Noting it again replaces the earlier."""
        found = self.found(request, consultation)
        issued = issued_of(found)
        if issued is None:
            raise Http404
        data: dict[str, Any] = {}
        for line in self.read()["lines"]:
            data[f"given_{line['position']}"] = line["given"]
            data[f"words_{line['position']}"] = line.get("words", "")
        form = DispensingForm(data, prescription=issued)
        cleaned(form)
        with rules():
            actions.dispense(
                prescription=issued,
                facility=_facility(request),
                given=form.given,
                by=_user(request),
            )
        return self.answer(issued)


class FollowUps(AtCentre):
    """Whom this health centre is to see again."""

    tag = "follow-ups"
    outputs = {"GET": FollowUpOutput}
    lists = {"GET"}
    is_polled = True

    def get(self, request: Request) -> Response:
        """The open tasks, the oldest due day first."""
        record("centre.read", f"facility:{self.here.facility.pk}", by=self.here.user)
        ours = FollowUp.objects.of_centre(self.here.facility).open()
        return self.answer(list(ours.select_related("patient", "consultation")[:200]))


class CloseFollowUp(AtCentre):
    """One task, done."""

    tag = "follow-ups"
    inputs = {"POST": FollowUpInput}
    outputs = {"POST": FollowUpOutput}
    refusals = ["moved"]

    def post(self, request: Request, follow_up: UUID) -> Response:
        """The patient was seen again: how they are."""
        ours = FollowUp.objects.of_centre(self.here.facility)
        rows = ours.select_related("patient", "consultation")
        found = get_or_refuse(rows, FollowUp.objects.all(), self.here, uid=follow_up)
        typed = self.read()
        with rules():
            actions.close_follow_up(
                follow_up=found,
                by=self.here.user,
                outcome=typed["outcome"],
                words=typed.get("outcome_words", ""),
            )
        return self.answer(rows.get(pk=found.pk))
