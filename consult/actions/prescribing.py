import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import BigAutoField
from django.utils import timezone

from accounts.actions import record
from accounts.models import Doctor, User
from consult import broadcast
from consult.actions.telling import tell
from consult.document import document_of
from consult.models import (
    Consultation,
    Prescription,
    PrescriptionLine,
    WarningReason,
)
from consult.of_consultation import (
    DRAFT,
    DRAFT_LINES,
    IN_FORCE,
    is_emergency_of,
    lock,
    lock_to_issue,
    note_of,
)
from consult.rules import Checked, Refusal, Warned, check
from consult.rules.dose import quantity_of
from consult.signing import (
    CertificateMissing,
    KeyMissing,
    canonical_form,
    is_self_made,
    sign_row,
)
from esanjeevani.celery_app import enqueue
from esanjeevani.composed import Columns
from esanjeevani.rows import insert, insert_all, update
from queues.models import MoveRefused

VERSIONS = Columns(
    lambda consultation: Prescription.objects.filter(consultation=consultation).values_list(
        "version"
    ),
    consultation=BigAutoField(),
)

log = logging.getLogger(__name__)


class IssueRefused(Exception):
    """A rule forbids issuing.

    `reason`: no_diagnosis, no_lines, not_verified, not_yours, over, issued (it is already),
    emergency, no_age, minor_alone, no_key (nothing is issued unsigned), rules (see `refusals`) or
    warnings (see `warnings`: each needs a reason).
    """

    def __init__(
        self,
        reason: str,
        refusals: Iterable[Refusal] = (),
        warnings: Iterable[Warned] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refusals = list(refusals)
        self.warnings = list(warnings)


@dataclass(frozen=True)
class Line:
    """One medicine as the doctor wrote it. Without a quantity it follows from dose and days."""

    generic: str
    form: str
    strength: str
    dose: str
    frequency: str
    days: int
    instructions: str = ""
    quantity: int | None = None

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Line":
        """From a line of an issued document, or of a set."""
        words = {one.name: kept[one.name] for one in fields(cls) if one.name in kept}
        line = cls(**words)
        return cls(**words | {"quantity": None}) if line.quantity == line.by_itself else line

    @classmethod
    def drafted(cls, row: PrescriptionLine) -> "Line":
        """Of a draft: as it was written."""
        return cls(**{one.name: getattr(row, one.name) for one in fields(cls)})

    @property
    def by_itself(self) -> int | None:
        """The quantity that follows from dose and days."""
        return quantity_of(self.form, self.dose, self.frequency, self.days)


@transaction.atomic
def save_lines(*, consultation: Consultation, lines: list[Line], by: User) -> Prescription | None:
    """Replace the medicines of the draft; a draft that says nothing is not kept.

    Once issued, only revise_prescription begins a new draft: a second tab or click that says the
    same again changes nothing, and one that says something else raises IssueRefused("issued").
    Raises MoveRefused when the consultation is not in progress.
    """
    locked = _locked(consultation)
    rows = DRAFT_LINES.all(consultation=locked.pk)
    draft = rows[0].prescription if rows else _draft(locked)
    if draft is None:
        if not lines or _says_what_is_issued(locked, lines):
            return None
        draft = _new_draft(locked)
    if not lines:
        draft.lines.all().delete()
        draft.delete()
        record("prescription.empty", consultation, by=by, patient=consultation.patient)
        return None
    _write_lines(draft, rows, lines[: Prescription.MAX_LINES])
    record("prescription.draft", draft, by=by, patient=consultation.patient)
    return draft


def _draft(consultation: Consultation) -> Prescription | None:
    return DRAFT.first(consultation=consultation.pk)


def _new_draft(consultation: Consultation) -> Prescription:
    version = len(VERSIONS.columns(consultation=consultation.pk)) + 1
    draft = Prescription(consultation=consultation, version=version)
    insert(draft)
    return draft


def _write_lines(draft: Prescription, rows: list[PrescriptionLine], lines: list[Line]) -> None:
    """Only those that are another than before: mostly it is one that is being written."""
    kept, new = {row.position: row for row in rows}, []
    for position, line in enumerate(lines, 1):
        row = kept.pop(position, None)
        if row is None:
            new.append(PrescriptionLine(prescription=draft, position=position, **asdict(line)))
        elif Line.drafted(row) != line:
            update(PrescriptionLine, row.pk, asdict(line))
    insert_all(new)
    if kept:
        PrescriptionLine.objects.filter(pk__in=[row.pk for row in kept.values()]).delete()


def _says_what_is_issued(consultation: Consultation, lines: list[Line]) -> bool:
    """False when nothing was issued yet."""
    issued = IN_FORCE.first(consultation=consultation.pk)
    if issued is None:
        return False
    kept = (issued.document or {})["lines"]
    if [Line.of(line | {"generic": _as_written(line)}) for line in kept] != lines:
        raise IssueRefused("issued")
    return True


def _as_written(line: dict[str, Any]) -> str:
    """The name that the doctor typed, where the formulary calls the generic otherwise."""
    return str(line.get("as_written") or line["generic"])


@transaction.atomic
def issue_prescription(*, consultation: Consultation, doctor: Doctor) -> Prescription:
    """Freeze the draft, number and sign it, and mark an earlier version as replaced.

    Raises IssueRefused. Rules, formulary, the doctor's verification and the keys are those of this
    moment, whatever they were when the draft was written. Two tabs: the second finds no draft left
    and is refused with "issued".
    """
    locked = _in_progress(lock_to_issue(consultation), refused=IssueRefused("over"))
    doctor = _may_issue(locked, doctor)
    note = note_of(locked)
    if note is None or not note.diagnosis.strip():
        raise IssueRefused("no_diagnosis")
    lines = DRAFT_LINES.all(consultation=locked.pk)
    earlier = IN_FORCE.first(consultation=locked.pk)
    if not lines:
        raise IssueRefused("issued" if earlier and not _draft(locked) else "no_lines")
    draft = lines[0].prescription
    checked = check(locked, lines, diagnosis=note.diagnosis)
    reasons = _reasons_against(checked, draft)
    if earlier:
        earlier.supersede()
    document = document_of(draft, lines, locked, note, doctor, checked) | {"warnings": reasons}
    _sign_and_issue(draft, doctor, document)
    record("prescription.issue", draft, by=doctor.user, patient=locked.patient)
    enqueue("consult.render", draft.pk)
    tell(locked, "prescription", number=draft.number)
    broadcast.prescription_changed(locked.pk)
    return draft


def _may_issue(locked: Consultation, doctor: Doctor) -> Doctor:
    """The doctor as registered now. Who may, and for whom: TPG 2020, 3.1, 3.3 and 3.6."""
    now = locked.doctor
    if now is None or now.pk != doctor.pk:
        raise IssueRefused("not_yours")
    if not now.is_verified:
        raise IssueRefused("not_verified")
    if is_emergency_of(locked):
        raise IssueRefused("emergency")
    patient = locked.patient
    if patient.birth_date > timezone.localdate():
        raise IssueRefused("no_age")
    if patient.is_minor and not (patient.guardian_name and patient.guardian_relation):
        raise IssueRefused("minor_alone")
    return now


def check_draft(draft: Prescription, consultation: Consultation, *, diagnosis: str) -> Checked:
    """What the rules say of a draft now."""
    return check(consultation, list(draft.lines.all()), diagnosis=diagnosis)


def _reasons_against(checked: Checked, draft: Prescription) -> list[dict[str, str]]:
    """Every warning with the doctor's reason. Raises IssueRefused."""
    if checked.refusals:
        raise IssueRefused("rules", refusals=checked.refusals, warnings=checked.warnings)
    given = reasons_given(draft) if checked.warnings else {}
    if any(not given.get(warned.key, "").strip() for warned in checked.warnings):
        raise IssueRefused("warnings", warnings=checked.warnings)
    return [{"words": one.words, "reason": given[one.key]} for one in checked.warnings]


def reasons_given(draft: Prescription) -> dict[str, str]:
    """Why the doctor prescribes in spite of warnings, by their keys."""
    return dict(draft.warning_reasons.values_list("key", "reason"))


def _sign_and_issue(draft: Prescription, doctor: Doctor, document: dict[str, Any]) -> None:
    """Raises IssueRefused("no_key"): nothing is issued unsigned, and the draft stays."""
    issued_at = timezone.now()
    number = f"RX{timezone.localdate():%y%m%d}-{draft.pk}"
    try:
        document["self_made_certificate"] = is_self_made()
        canonical = canonical_form(
            number=number, check_id=draft.check_id, issued_at=issued_at, document=document
        )
        signed = sign_row(canonical)
    except (KeyMissing, CertificateMissing) as error:
        log.error("No prescription can be issued: %s", error)
        raise IssueRefused("no_key") from None
    draft.issue(doctor=doctor, at=issued_at, number=number, document=document, **signed)


@transaction.atomic
def save_reasons(*, consultation: Consultation, reasons: dict[str, str], by: User) -> None:
    """Keep why the doctor prescribes in spite of warnings, by the warning's key. Needs a draft.

    Raises MoveRefused when the consultation is not in progress.
    """
    draft = _draft(_locked(consultation))
    if draft is None:
        return
    for key, reason in sorted(reasons.items()):
        WarningReason.objects.update_or_create(
            prescription=draft,
            key=key[:80],
            defaults={"reason": reason.strip(), "by": by, "at": timezone.now()},
        )
    if reasons:
        record("prescription.reasons", draft, by=by, patient=consultation.patient)


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
    draft = _new_draft(locked)
    _write_lines(draft, [], [Line.of(line) for line in (issued.document or {})["lines"]])
    record("prescription.revise", draft, by=by, patient=consultation.patient)
    return draft


def _locked(consultation: Consultation) -> Consultation:
    """The consultation, locked and in progress."""
    return _in_progress(lock(consultation))


def _in_progress(case: Consultation, refused: Exception | None = None) -> Consultation:
    if case.state != Consultation.State.IN_PROGRESS:
        raise refused or MoveRefused("The consultation is not in progress.")
    return case
