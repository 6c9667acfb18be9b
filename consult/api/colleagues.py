"""The treating doctor asks others: the health worker, a specialist, another clinic, a hospital."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, Nothing, cleaned, plain
from accounts.api.who import IsDoctor
from accounts.gates import get_or_refuse
from accounts.models import Doctor, Speciality
from consult import actions
from consult.api.base import DoctorsVerb, fresh, note_reading
from consult.api.centre_shapes import InstructionInput, InstructionOutput
from consult.api.doctor_shapes import (
    OpinionInput,
    OpinionOutput,
    ReferralInput,
    TransferInput,
    WaysOnOutput,
    WrittenOutput,
)
from consult.api.rules import NO_TOKEN, rules
from consult.api.shapes import ConsultationOutput, ReferralOutput
from consult.models import Consultation, Opinion
from consult.views.doctor.colleagues import (
    opinion_form,
    reachable_clinics,
    referral_form,
    transfer_form,
)
from consult.views.doctor.returning import return_form
from queues.models import Duty, KeptApart


class Instruct(DoctorsVerb):
    inputs = {"POST": InstructionInput}
    outputs = {"POST": InstructionOutput}
    statuses = {"POST": 201}

    def post(self, request: Request, consultation: UUID) -> Response:
        """Ask the health worker for something: "measure the blood pressure again"."""
        found = self.found(request, consultation)
        typed = self.read()
        with rules():
            asked = actions.instruct(consultation=found, by=self.doctor.user, words=typed["words"])
        return self.answer(asked, 201)


class Transfer(DoctorsVerb):
    inputs = {"POST": TransferInput}
    refusals = [*NO_TOKEN, "moved"]

    def post(self, request: Request, consultation: UUID) -> Response:
        """Another clinic's doctor takes over; answers the new consultation, which waits there."""
        found = self.found(request, consultation)
        form = transfer_form(found, _prefixed("transfer", self.read()))
        said = cleaned(form)
        with rules():
            later = actions.transfer_care(
                consultation=found,
                doctor=self.doctor,
                clinic=said["clinic"],
                words=said["words"],
            )
        return self.answer(fresh(later))


class Refer(DoctorsVerb):
    inputs = {"POST": ReferralInput}
    outputs = {"POST": ReferralOutput}
    statuses = {"POST": 201}

    def post(self, request: Request, consultation: UUID) -> Response:
        """A letter that the patient takes along, to be seen in person."""
        found = self.found(request, consultation)
        form = referral_form(found, _prefixed("referral", self.read()))
        said = cleaned(form)
        with rules():
            letter = actions.refer_in_person(consultation=found, doctor=self.doctor, **said)
        return self.answer(letter, 201)


class Opinions(DoctorsVerb):
    """The questions of this consultation to specialists."""

    inputs = {"POST": OpinionInput}
    outputs = {"GET": OpinionOutput, "POST": OpinionOutput}
    statuses = {"POST": 201}
    lists = {"GET"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """Who was asked what, and what was answered."""
        found = self.found(request, consultation)
        note_reading(request, "opinions.read", found, found)
        asked = found.opinions.select_related("clinic", "specialist__user", "consultation")
        return self.answer(list(asked))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Ask the specialists of a clinic; the doctor who asks stays the treating doctor."""
        found = self.found(request, consultation)
        said = cleaned(opinion_form(found, _prefixed("opinion", self.read())))
        with rules():
            asked = actions.ask_opinion(consultation=found, doctor=self.doctor, **said)
        return self.answer(asked, 201)


class WithdrawOpinion(DoctorsVerb):
    outputs = {"POST": OpinionOutput}

    def post(self, request: Request, consultation: UUID, opinion: UUID) -> Response:  # type: ignore[override]
        """The opinion is no longer needed. `moved`: it has come already."""
        found = self.found(request, consultation)
        self.read()
        asked = get_or_refuse(
            found.opinions.all(), Opinion.objects.all(), plain(request), uid=opinion
        )
        with rules():
            withdrawn = actions.withdraw_opinion(opinion=asked, doctor=self.doctor)
        return self.answer(withdrawn)


class WaysOn(DoctorsVerb):
    """Where this case can go from here."""

    outputs = {"GET": WaysOnOutput}
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """What may be chosen: clinics to ask, to hand over to and to return to; places to refer to."""
        found = self.found(request, consultation)
        return_to = return_form(found).fields.get("clinic")
        return self.answer(
            {
                "colleagues": reachable_clinics(found),
                "return_to": return_to.queryset if return_to else [],  # type: ignore[attr-defined]
                "facilities": referral_form(found).fields["facility"].queryset,  # type: ignore[attr-defined]
                "specialities": Speciality.objects.order_by("name"),
            }
        )


class Written(ApiView):
    """Cases to answer in writing."""

    permission_classes = [IsDoctor]
    tag = "doctor"
    outputs = {"GET": WrittenOutput}
    is_polled = True

    def get(self, request: Request) -> Response:
        """What nobody has taken in the doctor's clinics, the emergencies first; and what the doctor took."""
        doctor = plain(request).user.doctor
        people = ["patient", "clinic", "facility", "token", "doctor__user"]
        record("desk.read", "written", by=plain(request).user)
        pile = _offered(doctor).filter(state=Consultation.State.REQUESTED)
        pile = pile.exclude(Exists(KeptApart.of_token(doctor)))
        mine = Consultation.objects.of_doctor(doctor).filter(
            state=Consultation.State.IN_PROGRESS, is_written=True
        )
        return self.answer(
            {
                "pile": pile.select_related(*people).order_by("-is_emergency", "requested_at")[:50],
                "mine": mine.select_related(*people).order_by("started_at"),
            }
        )


def _offered(doctor: Doctor) -> "QuerySet[Consultation]":
    on_duty = Duty.objects.working().filter(doctor=doctor).values("clinic")
    return Consultation.objects.with_people().filter(is_written=True, clinic__in=on_duty)


class TakeWritten(ApiView):
    """One case of the pile."""

    permission_classes = [IsDoctor]
    tag = "doctor"
    inputs = {"POST": Nothing}
    outputs = {"POST": ConsultationOutput}
    refusals = ["moved", "not_on_duty"]

    def post(self, request: Request, consultation: UUID) -> Response:
        """Take a case of the pile, to answer it in writing. `moved`: another doctor has it."""
        self.read()
        doctor = plain(request).user.doctor
        found = get_or_refuse(
            _offered(doctor), Consultation.objects.all(), plain(request), uid=consultation
        )
        with rules():
            taken = actions.take_written(consultation=found, doctor=doctor)
        return self.answer(fresh(taken))


def _prefixed(prefix: str, typed: dict[str, Any]) -> dict[str, Any]:
    """As the page's form names its fields."""
    return {f"{prefix}-{name}": value for name, value in typed.items()}
