"""Notes and the prescription: written, held against the rules, issued, corrected."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView, Refused, cleaned, plain
from accounts.api.who import IsDoctor
from accounts.gates import get_or_refuse
from consult import actions
from consult.api.base import DoctorsVerb, note_reading
from consult.api.prescription_shapes import (
    DraftOutput,
    LinesInput,
    NoteInput,
    NoteOutput,
    PrescriptionOutput,
    SetInput,
    SetOutput,
    UseSetInput,
)
from consult.api.rules import NOT_ISSUED, rules
from consult.forms import NoteForm
from consult.forms.medicines import LineForm
from consult.icd10 import UnknownCode, coded
from consult.models import Consultation, MedicineSet, Note, Prescription
from consult.views.doctor.rules_panel import rules_context


class Notes(DoctorsVerb):
    """What the doctor found and advises."""

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
        try:
            code, title = coded(typed.pop("icd10", ""))
        except UnknownCode:
            words = _("This code is not in the ICD-10 here. Leave it out: the words count.")
            raise ValidationError({"icd10": [words]}) from None
        form = NoteForm(typed, instance=Note.objects.filter(consultation=found).first())
        said = cleaned(form)
        with rules():
            note = actions.save_note(
                consultation=found,
                by=self.doctor.user,
                **said,
                icd10=code,
                icd10_title=title,
            )
        return self.answer(note)


class OfDraft(DoctorsVerb):
    """The medicines before they are issued, with what the rules say of them."""

    outputs = {"GET": DraftOutput, "PUT": DraftOutput, "POST": DraftOutput}
    refusals = ["moved", "issued"]

    def draft(self, consultation: Consultation, status_code: int = 200) -> Response:
        """404 where there is no draft."""
        draft = consultation.prescriptions.filter(state=Prescription.State.DRAFT).first()
        if draft is None:
            raise Http404
        said = rules_context(consultation)
        draft.rules = {  # type: ignore[attr-defined]
            "consult_type": said["checked"].consult_type,
            "refusals": said["checked"].refusals,
            "warnings": [
                {"key": one["warning"].key, "words": one["warning"].words, "reason": one["reason"]}
                for one in said["warned"]
            ],
        }
        return self.answer(draft, status_code)


class Draft(OfDraft):
    """The medicines before they are issued."""

    inputs = {"PUT": LinesInput}
    http_method_names = ["get", "put", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """The draft, and in `rules` why it may not be issued and of what it warns; 404 for none."""
        found = self.found(request, consultation)
        note_reading(request, "prescription.read", found, found)
        return self.draft(found)

    def put(self, request: Request, consultation: UUID) -> Response:
        """Replace the medicines of the draft. Without any, the draft goes, and 404 says so."""
        found = self.found(request, consultation)
        typed = self.read()
        lines = _lines(typed["lines"])
        reasons = {one["key"]: one["reason"] for one in typed.get("reasons", [])}
        with rules():
            actions.save_lines(consultation=found, lines=lines, by=self.doctor.user)
            actions.save_reasons(consultation=found, reasons=reasons, by=self.doctor.user)
        return self.draft(found)


def _lines(typed: list[dict[str, Any]]) -> list[actions.Line]:
    """By the page's own form: "1-0-1" says how often. Raises ValidationError, per medicine."""
    forms = [LineForm(line, use_required_attribute=False) for line in typed]
    wrong = [
        {name: [str(one) for one in errors] for name, errors in form.errors.items()}
        for form in forms
    ]
    if any(wrong):
        raise ValidationError({"lines": wrong})
    return [actions.Line(**form.cleaned_data) for form in forms]


class Issue(DoctorsVerb):
    """The prescription is given."""

    outputs = {"POST": PrescriptionOutput}
    refusals = NOT_ISSUED

    def post(self, request: Request, consultation: UUID) -> Response:
        """Freeze the draft, number it, replace an earlier version. The patient is told by SMS.

        `rules` and `warnings` say in `details` which medicine, by which rule of which source, and
        what is possible instead.
        """
        found = self.found(request, consultation)
        self.read()
        with rules():
            issued = actions.issue_prescription(consultation=found, doctor=self.doctor)
        return self.answer(issued)


class Revise(OfDraft):
    """Correct what was issued."""

    refusals = ["moved"]

    def post(self, request: Request, consultation: UUID) -> Response:
        """A new draft with the lines of the issued one, to correct it."""
        found = self.found(request, consultation)
        self.read()
        with rules():
            try:
                actions.revise_prescription(consultation=found, by=self.doctor.user)
            except Prescription.DoesNotExist:
                raise Http404 from None
        return self.draft(found)


class UseSet(OfDraft):
    """Medicines that are often written together."""

    inputs = {"POST": UseSetInput}

    def post(self, request: Request, consultation: UUID) -> Response:
        """Add the medicines of a set to the draft; one that it has already is not written twice."""
        found = self.found(request, consultation)
        chosen = own_set(request, self.read()["set"])
        with rules():
            actions.use_set(consultation=found, medicine_set=chosen, by=self.doctor.user)
        return self.draft(found)


class RepeatLast(OfDraft):
    """The last prescription once more."""

    refusals = ["moved", "issued", "nothing_earlier"]

    def post(self, request: Request, consultation: UUID) -> Response:
        """Add what this patient was prescribed last to the draft."""
        found = self.found(request, consultation)
        self.read()
        with rules():
            added = actions.repeat_last(consultation=found, by=self.doctor.user)
        if added is None:
            words = _("There is no earlier prescription of this patient here.")
            raise Refused("nothing_earlier", words)
        return self.draft(found)


class Sets(ApiView):
    """The doctor's own sets of medicines."""

    permission_classes = [IsDoctor]
    inputs = {"POST": SetInput}
    outputs = {"GET": SetOutput, "POST": SetOutput}
    statuses = {"POST": 201}
    refusals = ["too_many_sets"]
    lists = {"GET"}

    def get(self, request: Request) -> Response:
        """What this doctor often writes together, by name."""
        return self.answer(list(plain(request).user.doctor.medicine_sets.all()))

    def post(self, request: Request) -> Response:
        """Keep medicines under a name; the same name again replaces them."""
        typed = self.read()
        lines = _lines(typed["lines"])
        with rules():
            kept = actions.save_set(
                doctor=plain(request).user.doctor, name=typed["name"], lines=lines
            )
        return self.answer(kept, 201)


class OneSet(ApiView):
    """One set."""

    permission_classes = [IsDoctor]
    tag = "medicine-sets"

    def delete(self, request: Request, medicine_set: UUID) -> Response:
        """The set goes; what was prescribed with it stays."""
        found = own_set(request, medicine_set)
        actions.delete_set(medicine_set=found, by=plain(request).user)
        return Response(status=204)


def own_set(request: Request, uid: UUID) -> MedicineSet:
    mine = plain(request).user.doctor.medicine_sets.all()
    return get_or_refuse(mine, MedicineSet.objects.all(), plain(request), uid=uid)
