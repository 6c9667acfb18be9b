"""The health centre during the talk and afterwards: brought in, instructed, dispensed, followed up."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import cleaned
from accounts.gates import get_or_refuse
from consult import actions
from consult.api.base import CentresVerb
from consult.api.centre import AtCentre, facility_of, user_of
from consult.api.centre_shapes import (
    DispensingInput,
    FollowUpInput,
    FollowUpOutput,
    InstructionAnswerInput,
    InstructionOutput,
)
from consult.api.prescription_shapes import PrescriptionOutput
from consult.api.rules import rules
from consult.forms import DispensingForm
from consult.models import Consultation, FollowUp, Instruction
from consult.of_consultation import issued_of
from queues.actions import sit_at_screen


class Begin(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.begin(consultation=consultation, by=user_of(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """The doctor calls, and the patient sits here: go in."""
        return super().post(request, consultation)


class Leave(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.leave(consultation=consultation, by=user_of(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Take the case back before the doctor has begun."""
        return super().post(request, consultation)


class Settle(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.settle(consultation=consultation, by=user_of(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """What came back is dealt with and not sent again."""
        return super().post(request, consultation)


class TakeOver(CentresVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        if consultation.token is not None:
            sit_at_screen(token=consultation.token, of=user_of(self.request))

    def post(self, request: Request, consultation: UUID) -> Response:
        """A colleague's waiting patient comes to this health worker's screen."""
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
            actions.carry_out(
                instruction=asked, by=user_of(request), answer=typed.get("answer", "")
            )
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
                facility=facility_of(request),
                given=form.given,
                by=user_of(request),
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
