"""From what is wrong to the token."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView, cleaned, plain
from accounts.api.parsing import JsonParser
from accounts.gates import get_or_refuse
from consult import actions
from consult.api.base import OfConsultation, PatientsVerb, note_reading
from consult.api.rules import NO_TOKEN, rules
from consult.api.shapes import (
    ConsultationOutput,
    DraftInput,
    FileInput,
    FileOutput,
    RequestInput,
)
from consult.fetch import own_consultation, patient_and_clinic
from consult.forms import CaseForm, UploadForm
from consult.models import Attachment, Consultation
from consult.views.patient.visit import download_file


class Consultations(ApiView):
    """The consultations of this account's people."""

    inputs = {"POST": DraftInput}
    outputs = {"GET": ConsultationOutput, "POST": ConsultationOutput}
    statuses = {"POST": 201}
    refusals = ["moved"]
    is_paged = is_polled = True

    def get(self, request: Request) -> Response:
        """Past and present consultations, newest first."""
        user = plain(request).user
        mine = Consultation.objects.with_people().of_patient_account(user)
        return self.paged(mine.exclude(state="cancelled", end_reason="discarded"))

    def post(self, request: Request) -> Response:
        """Keep what is wrong as a draft: one per patient, so that sending again changes it."""
        typed = self.read()
        person, clinic = patient_and_clinic(plain(request), typed["patient"], typed["clinic"])
        case = cleaned(CaseForm(typed, patient=person))
        with rules():
            draft = actions.save_draft(
                patient=person, clinic=clinic, by=plain(request).user, **case
            )
        draft.patient, draft.clinic = person, clinic  # as they were fetched
        return self.answer(draft, 201)


class OneConsultation(OfConsultation):
    """One consultation, to everybody who is in it."""

    outputs = {"GET": ConsultationOutput}
    is_polled = True

    def get(self, request: Request, consultation: UUID) -> Response:
        """The case, its state and its token."""
        found = self.found(request, consultation)
        note_reading(request, "consultation.read", found, found)
        return self.answer(found)


class Requested(PatientsVerb):
    inputs = {"POST": RequestInput}
    tells_itself = True
    refusals = [*NO_TOKEN, "nothing_said", "moved"]

    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        if not typed["consent"]:
            words = _("Without your consent no doctor can treat you here.")
            raise ValidationError({"consent": [words]})
        actions.request_consultation(
            consultation=consultation,
            clinic=consultation.clinic,
            by=plain(self.request).user,
            language=typed["language"],
            may_phone=typed["may_phone"],
        )

    def post(self, request: Request, consultation: UUID) -> Response:
        """Record the consent, take the token and send the case: all or nothing."""
        return super().post(request, consultation)


class Discarded(PatientsVerb):
    def act(self, consultation: Consultation, typed: dict[str, Any]) -> None:
        actions.discard_draft(consultation=consultation, by=plain(self.request).user)

    def post(self, request: Request, consultation: UUID) -> Response:
        """Throw a draft away."""
        return super().post(request, consultation)


class Files(OfConsultation):
    """Photos and reports of one consultation. `write_to` fetches for who may add and remove."""

    write_to: Any = staticmethod(own_consultation)
    parser_classes = [MultiPartParser, JsonParser]
    inputs = {"POST": FileInput}
    outputs = {"GET": FileOutput, "POST": FileOutput}
    statuses = {"POST": 201}
    refusals = ["too_many_files", "moved"]
    lists = {"GET"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """The files of one consultation."""
        found = self.found(request, consultation)
        return self.answer(list(found.attachments.all()))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Add a file to a draft: checked, and written anew without what it did not need."""
        found: Consultation = self.write_to(plain(request), consultation)
        self.read()
        clean = cleaned(UploadForm({}, request.FILES))["file"]
        with rules():
            kept = actions.add_attachment(consultation=found, clean=clean, by=plain(request).user)
        return self.answer(kept, 201)


class OneFile(OfConsultation):
    """One file."""

    write_to: Any = staticmethod(own_consultation)
    outputs = {"GET": {(200, "application/octet-stream"): bytes}}
    refusals = ["moved"]

    def get(self, request: Request, consultation: UUID, file: UUID) -> Any:
        """The file itself, to everybody who is in the consultation."""
        found = self.found(request, consultation)
        kept = get_or_refuse(
            found.attachments.all(), Attachment.objects.all(), plain(request), uid=file
        )
        note_reading(request, "attachment.read", kept, found)
        return download_file(kept)

    def delete(self, request: Request, consultation: UUID, file: UUID) -> Response:
        """Take a file off a draft."""
        found: Consultation = self.write_to(plain(request), consultation)
        kept = get_or_refuse(
            found.attachments.all(), Attachment.objects.all(), plain(request), uid=file
        )
        with rules():
            actions.remove_attachment(attachment=kept, by=plain(request).user)
        return Response(status=204)
