from dataclasses import asdict, dataclass

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import Doctor, User
from consult import broadcast
from consult.actions.telling import tell
from consult.document import document_of
from consult.models import Consultation, Note, Prescription, PrescriptionLine
from consult.pdf import render_pdf
from esanjeevani.celery_app import enqueue, sweep
from queues.models import MoveRefused


class IssueRefused(Exception):
    """A rule forbids issuing.

    `reason`: no_diagnosis, no_lines, not_verified, not_yours, over, or issued (it is already).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """One medicine as the doctor wrote it."""

    generic: str
    form: str
    strength: str
    dose: str
    frequency: str
    days: int
    instructions: str = ""


@transaction.atomic
def save_lines(*, consultation: Consultation, lines: list[Line], by: User) -> Prescription | None:
    """Replace the medicines of the draft; a draft that says nothing is not kept.

    Once issued, only revise_prescription begins a new draft: a second tab or click that says the
    same again changes nothing, and one that says something else raises IssueRefused("issued").
    Raises MoveRefused when the consultation is not in progress.
    """
    locked = _locked(consultation)
    draft = _draft(locked)
    if draft is None:
        if not lines or _says_what_is_issued(locked, lines):
            return None
        draft = Prescription.objects.create(consultation=locked, version=_next_version(locked))
    draft.lines.all().delete()
    if not lines:
        draft.delete()
        record("prescription.empty", consultation, by=by, patient=consultation.patient)
        return None
    PrescriptionLine.objects.bulk_create(
        PrescriptionLine(prescription=draft, position=position, **asdict(line))
        for position, line in enumerate(lines[: Prescription.MAX_LINES], 1)
    )
    record("prescription.draft", draft, by=by, patient=consultation.patient)
    return draft


def _draft(consultation: Consultation) -> Prescription | None:
    return consultation.prescriptions.filter(state=Prescription.State.DRAFT).first()


def _says_what_is_issued(consultation: Consultation, lines: list[Line]) -> bool:
    """False when nothing was issued yet."""
    issued = consultation.prescriptions.filter(state=Prescription.State.ISSUED).first()
    if issued is None:
        return False
    if (issued.document or {})["lines"] != [asdict(line) for line in lines]:
        raise IssueRefused("issued")
    return True


@transaction.atomic
def issue_prescription(*, consultation: Consultation, doctor: Doctor) -> Prescription:
    """Freeze the draft, number it, and mark an earlier version as replaced. Raises IssueRefused.

    Two tabs: the second finds no draft left and is refused with "issued".
    """
    locked = _locked(consultation, refused=IssueRefused("over"))
    if locked.doctor_id != doctor.pk:
        raise IssueRefused("not_yours")
    if not doctor.is_verified:
        raise IssueRefused("not_verified")
    note = Note.objects.filter(consultation=locked).first()
    if note is None or not note.diagnosis.strip():
        raise IssueRefused("no_diagnosis")
    draft = _draft(locked)
    earlier_ones = locked.prescriptions.filter(state=Prescription.State.ISSUED)
    if draft is None or not draft.lines.exists():
        raise IssueRefused("issued" if earlier_ones and not draft else "no_lines")
    for earlier in earlier_ones:
        earlier.supersede()
    draft.issue(
        doctor=doctor,
        number=f"RX{timezone.localdate():%y%m%d}-{draft.pk}",
        document=document_of(draft, consultation, note, doctor),
    )
    record("prescription.issue", draft, by=doctor.user, patient=consultation.patient)
    enqueue("consult.render", draft.pk)
    tell(consultation, "prescription", number=draft.number)
    broadcast.prescription_changed(locked.pk)
    return draft


@transaction.atomic
def revise_prescription(*, consultation: Consultation, by: User) -> Prescription:
    """A new draft with the lines of the issued one, to correct it. The issued one stays valid until then.

    Raises MoveRefused when the consultation is over.
    """
    locked = _locked(consultation)
    draft = _draft(locked)
    if draft:
        return draft
    issued = locked.prescriptions.get(state=Prescription.State.ISSUED)
    draft = Prescription.objects.create(consultation=locked, version=_next_version(locked))
    PrescriptionLine.objects.bulk_create(
        PrescriptionLine(prescription=draft, position=position, **line)
        for position, line in enumerate((issued.document or {})["lines"], 1)
    )
    record("prescription.revise", draft, by=by, patient=consultation.patient)
    return draft


def _locked(consultation: Consultation, refused: Exception | None = None) -> Consultation:
    """The consultation, locked and in progress."""
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state != Consultation.State.IN_PROGRESS:
        raise refused or MoveRefused("The consultation is not in progress.")
    return locked


def _next_version(consultation: Consultation) -> int:
    return consultation.prescriptions.count() + 1


def render_prescription(prescription_id: int) -> bool:
    """Write the PDF of an issued prescription. False when it is there already. May run twice."""
    prescription = Prescription.objects.get(pk=prescription_id)
    if prescription.pdf or prescription.state == Prescription.State.DRAFT:
        return False
    stored = prescription.pdf.storage.save(
        f"prescriptions/{prescription.uid}.pdf", ContentFile(render_pdf(prescription))
    )
    with transaction.atomic():
        mine = Prescription.objects.filter(pk=prescription_id, pdf="").update(pdf=stored)
        if mine:
            broadcast.prescription_changed(prescription.consultation_id)
    if not mine:
        prescription.pdf.storage.delete(stored)
    return bool(mine)


def sweep_prescriptions() -> int:
    """Render what a crash or an absent broker left without a PDF. Returns how many."""
    missing = Prescription.objects.filter(pdf="", issued_at__isnull=False).order_by("issued_at")
    return sweep(render_prescription, missing.values_list("pk", flat=True)[:100])
