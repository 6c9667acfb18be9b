"""The doctor's side: the desk, the call, notes, the prescription, the end."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, Refused, cleaned, plain
from accounts.api.who import IsDoctor
from consult import actions
from consult.api.base import DoctorsVerb, fresh, note_reading
from consult.api.doctor_shapes import CallInput, DeskOutput, NumberOutput, ReturnInput
from consult.api.rules import rules
from consult.api.shapes import ConsultationOutput, EarlierOutput
from consult.models import Consultation
from consult.views.doctor.parts import EARLIER_SHOWN
from consult.views.doctor.returning import return_form
from queues.desk import desk_lines
from queues.models import Clinic, Token


class Desk(ApiView):
    """The doctor's desk."""

    permission_classes = [IsDoctor]
    tag = "doctor"
    outputs = {"GET": DeskOutput}
    is_polled = True

    def get(self, request: Request) -> Response:
        """Who is held, and the line of each clinic in which the doctor is on duty."""
        doctor = plain(request).user.doctor
        held = Consultation.objects.with_people().filter(
            token__in=Token.objects.held().filter(doctor=doctor)
        )
        record("desk.read", "desk", by=plain(request).user)
        return self.answer({"held": held.first(), "lines": desk_lines(doctor)})


class Past(ApiView):
    """The doctor's own consultations."""

    permission_classes = [IsDoctor]
    tag = "doctor"
    outputs = {"GET": ConsultationOutput}
    is_paged = True

    def get(self, request: Request) -> Response:
        """What this doctor called, sees or saw, newest first."""
        user = plain(request).user
        record("consultations.list", "own", by=user)
        return self.paged(Consultation.objects.with_people().of_doctor(user.doctor))


class CallNext(ApiView):
    """Call the first present patient."""

    permission_classes = [IsDoctor]
    tag = "doctor"
    inputs = {"POST": CallInput}
    outputs = {"POST": ConsultationOutput}
    refusals = ["not_on_duty", "already_holding", "nobody_present"]

    def post(self, request: Request) -> Response:
        """Call the first present patient of one line. No two doctors get the same one."""
        clinic = Clinic.objects.filter(uid=self.read()["clinic"]).first()
        if clinic is None:
            raise Http404
        with rules():
            called = actions.call_next(clinic=clinic, doctor=plain(request).user.doctor)
        return self.answer(fresh(called))


class PassedOver(DoctorsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.pass_over(consultation=consultation, by=self.doctor.user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """Wait no longer for the patient who was called."""
        return super().post(request, consultation)


class Complete(DoctorsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.complete(consultation=consultation, by=self.doctor.user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """End it. An unissued draft of a prescription goes."""
        return super().post(request, consultation)


class Return(DoctorsVerb):
    inputs = {"POST": ReturnInput}
    refusals = ["moved", "emergency"]

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        form = return_form(consultation, {f"return-{name}": one for name, one in typed.items()})
        if "clinic" in typed and "clinic" not in form.fields:
            words = _("A patient at home chooses the clinic: leave it out.")
            raise ValidationError({"clinic": [words]})
        said = cleaned(form)
        actions.return_consultation(consultation=consultation, by=self.doctor.user, **said)

    def post(self, request: Request, consultation: UUID) -> Response:
        """Send the case back with a reason; to a health centre with a clinic that is right for it."""
        return super().post(request, consultation)


class Phone(DoctorsVerb):
    """The patient's number, when the call broke off."""

    outputs = {"POST": NumberOutput}
    refusals = ["not_agreed"]

    def post(self, request: Request, consultation: UUID) -> Response:
        """The patient's number, if the patient agreed to be phoned. It is written down."""
        found = self.found(request, consultation)
        self.read()
        number = actions.show_number(consultation=found, by=self.doctor.user)
        if number is None:
            raise Refused("not_agreed", _("The patient did not agree to be phoned."))
        return self.answer({"phone": number})


class InText(DoctorsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.go_on_in_text(consultation=consultation, by=self.doctor.user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """Go on without sound and picture; the other side is told."""
        return super().post(request, consultation)


class PutBack(DoctorsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.put_back(consultation=consultation, by=self.doctor.user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """The patient is gone: first in line again, and the doctor is free for the next one."""
        return super().post(request, consultation)


class Earlier(DoctorsVerb):
    """What this patient was seen for before."""

    outputs = {"GET": EarlierOutput}
    lists = {"GET"}
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """The patient's last completed consultations, newest first: who treats sees the history."""
        found = self.found(request, consultation)
        seen = Consultation.objects.filter(
            patient=found.patient, state=Consultation.State.COMPLETED
        ).exclude(pk=found.pk)
        rows = seen.select_related("doctor__user", "clinic", "note").order_by("-ended_at")
        note_reading(request, "history.read", found, found)
        return self.answer(list(rows[:EARLIER_SHOWN]))
