"""The doctor's side: the desk, the call, notes, the prescription, the end."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, cleaned, plain
from accounts.api.who import IsDoctor
from consult import actions
from consult.api.base import DoctorsVerb, fresh, note_reading
from consult.api.rules import NO_TOKEN, NOT_ISSUED, rules
from consult.api.shapes import (
    CallInput,
    ConsultationOutput,
    DeskOutput,
    InstructionInput,
    InstructionOutput,
    LinesInput,
    NoteInput,
    NoteOutput,
    OpinionInput,
    OpinionOutput,
    PrescriptionOutput,
    ReferralInput,
    ReferralOutput,
    ReturnInput,
    TransferInput,
)
from consult.forms import NoteForm
from consult.icd10 import title_of
from consult.models import Consultation, Note, Prescription
from consult.views.colleagues import opinion_form, referral_form, transfer_form
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


class Notes(DoctorsVerb):
    inputs = {"PUT": NoteInput}
    outputs = {"GET": NoteOutput, "PUT": NoteOutput}
    http_method_names = ["get", "put", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """What the doctor has written; 404 before the first word."""
        found = self.found(request, consultation)
        note = Note.objects.filter(consultation=found).first()
        if note is None:
            raise Http404
        note_reading(request, "note.read", found, found)
        return self.answer(note)

    def put(self, request: Request, consultation: UUID) -> Response:
        """Keep findings, diagnosis, tests, advice and follow-up as they are."""
        found = self.found(request, consultation)
        typed = self.read()
        code = typed.pop("icd10", "").upper()
        form = NoteForm(typed, instance=Note.objects.filter(consultation=found).first())
        said = cleaned(form)
        with rules():
            note = actions.save_note(
                consultation=found,
                by=self.doctor.user,
                **said,
                icd10=code,
                icd10_title=title_of(code),
            )
        return self.answer(note)


class Draft(DoctorsVerb):
    """The medicines before they are issued."""

    inputs = {"PUT": LinesInput}
    outputs = {"GET": PrescriptionOutput, "PUT": PrescriptionOutput}
    refusals = ["moved", "issued"]
    http_method_names = ["get", "put", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """The draft; 404 while there is none."""
        found = self.found(request, consultation)
        note_reading(request, "prescription.read", found, found)
        return self._draft(found)

    def put(self, request: Request, consultation: UUID) -> Response:
        """Replace the medicines of the draft. Without any, the draft goes, and 404 says so."""
        found = self.found(request, consultation)
        typed = self.read()
        lines = [actions.Line(**line) for line in typed["lines"]]
        reasons = {one["key"]: one["reason"] for one in typed.get("reasons", [])}
        with rules():
            actions.save_lines(consultation=found, lines=lines, by=self.doctor.user)
            actions.save_reasons(consultation=found, reasons=reasons, by=self.doctor.user)
        return self._draft(found)

    def _draft(self, consultation: Consultation) -> Response:
        draft = consultation.prescriptions.filter(state=Prescription.State.DRAFT).first()
        if draft is None:
            raise Http404
        return self.answer(draft)


class Issue(DoctorsVerb):
    outputs = {"POST": PrescriptionOutput}
    refusals = NOT_ISSUED

    def post(self, request: Request, consultation: UUID) -> Response:
        """Freeze the draft, number it, replace an earlier version. The patient is told by SMS."""
        found = self.found(request, consultation)
        self.read()
        with rules():
            issued = actions.issue_prescription(consultation=found, doctor=self.doctor)
        return self.answer(issued)


class Revise(DoctorsVerb):
    outputs = {"POST": PrescriptionOutput}

    def post(self, request: Request, consultation: UUID) -> Response:
        """A new draft with the lines of the issued one, to correct it."""
        found = self.found(request, consultation)
        self.read()
        with rules():
            try:
                draft = actions.revise_prescription(consultation=found, by=self.doctor.user)
            except Prescription.DoesNotExist:
                raise Http404 from None
        return self.answer(draft)


class Complete(DoctorsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.complete(consultation=consultation, by=self.doctor.user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """End it. An unissued draft of a prescription goes."""
        return super().post(request, consultation)


class Return(DoctorsVerb):
    inputs = {"POST": ReturnInput}

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        clinic = None
        if wanted := typed.get("clinic"):
            clinic = Clinic.objects.filter(uid=wanted, is_active=True).first()
            if clinic is None:
                raise Http404
        actions.return_consultation(
            consultation=consultation,
            by=self.doctor.user,
            reason=typed["reason"],
            words=typed["words"],
            clinic=clinic,
        )

    def post(self, request: Request, consultation: UUID) -> Response:
        """Send the case back with a reason, and with a clinic that is right for it."""
        return super().post(request, consultation)


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


class AskOpinion(DoctorsVerb):
    inputs = {"POST": OpinionInput}
    outputs = {"POST": OpinionOutput}
    statuses = {"POST": 201}

    def post(self, request: Request, consultation: UUID) -> Response:
        """Ask the specialists of a clinic; the doctor who asks stays the treating doctor."""
        found = self.found(request, consultation)
        said = cleaned(opinion_form(found, _prefixed("opinion", self.read())))
        with rules():
            asked = actions.ask_opinion(consultation=found, doctor=self.doctor, **said)
        return self.answer(asked, 201)


def _prefixed(prefix: str, typed: dict[str, Any]) -> dict[str, Any]:
    """As the page's form names its fields. A clinic is chosen by its public id."""
    data = {f"{prefix}-{name}": value for name, value in typed.items()}
    if "clinic" in typed:
        clinic = Clinic.objects.filter(uid=typed["clinic"]).values_list("pk", flat=True).first()
        data[f"{prefix}-clinic"] = clinic
    return data
