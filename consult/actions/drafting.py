"""The draft: what the doctor writes, before it is issued."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actions import event, record
from accounts.models import User
from consult.actions.first_draft import begin_first
from consult.actions.notes import save_note
from consult.models import (
    Consultation,
    Prescription,
    PrescriptionLine,
    WarningReason,
)
from consult.of_consultation import (
    DRAFT,
    DRAFT_LINES,
    PRESCRIPTIONS,
    lock_in_progress,
)
from consult.rules import Refusal, Warned
from consult.rules.dose import quantity_of
from esanjeevani.sql.rows import insert_all, update
from esanjeevani.sql.steps import insert_with


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


def keep_written(
    *,
    consultation: Consultation,
    by: User,
    words: dict[str, Any] | None = None,
    lines: list[Line] | None = None,
    reasons: dict[str, str] | None = None,
) -> list[PrescriptionLine]:
    """What the doctor's page sends of note, medicines and reasons.

    None is left as it is. Returns the draft's lines where there were `lines`. Raises MoveRefused;
    what save_lines raises of the medicines, and then the note is kept all the same.
    """
    if words is not None and lines is None and not reasons:
        save_note(consultation=consultation, by=by, **words)
        return []
    if lines and not reasons and not PRESCRIPTIONS.may_be_there(consultation):
        rows = _new_rows(consultation, 1, lines)
        if begin_first(consultation=consultation, by=by, words=words, rows=rows):
            return rows
        words = None  # they are kept
    return _keep_behind_lock(consultation, by, words, lines, reasons or {})


def _keep_behind_lock(
    consultation: Consultation,
    by: User,
    words: dict[str, Any] | None,
    lines: list[Line] | None,
    reasons: dict[str, str],
) -> list[PrescriptionLine]:
    """In one transaction."""
    rows: list[PrescriptionLine] = []
    refused = None
    with transaction.atomic():
        if words is None:
            lock_in_progress(consultation)
        else:
            save_note(consultation=consultation, by=by, **words)
        try:
            if lines is not None:
                rows = _replace_lines(consultation, by, lines)
        except IssueRefused as error:  # nothing was written of the medicines
            refused = error
        else:
            _write_reasons(consultation, by, reasons)
    if refused:
        raise refused
    return rows


@transaction.atomic
def save_lines(*, consultation: Consultation, lines: list[Line], by: User) -> Prescription | None:
    """Replace the medicines of the draft; a draft that says nothing is not kept.

    Once issued, only revise_prescription begins a new draft: a second tab or click that says the
    same again changes nothing, and one that says something else raises IssueRefused("issued").
    Raises MoveRefused when the consultation is not in progress.
    """
    rows = _replace_lines(lock_in_progress(consultation), by, lines)
    return rows[0].prescription if rows else None


def _replace_lines(case: Consultation, by: User, lines: list[Line]) -> list[PrescriptionLine]:
    """The draft's lines as they stand then. Raises IssueRefused before anything is written."""
    rows = DRAFT_LINES.all(consultation=case.pk)
    versions = [] if rows else PRESCRIPTIONS.all(consultation=case.pk)
    draft = rows[0].prescription if rows else _in(Prescription.State.DRAFT, versions)
    if draft is None:
        if not lines or _says_what_is_issued(versions, lines):
            return []
        return _begin_draft("prescription.draft", case, by, versions, lines)
    if not lines:
        draft.lines.all().delete()
        draft.delete()
        record("prescription.empty", f"consultation:{case.uid}", by=by, patient=case.patient)
        return []
    written = _write_lines(draft, rows, lines[: Prescription.MAX_LINES])
    record("prescription.draft", draft, by=by, patient=case.patient)
    return written


def _in(state: str, versions: list[Prescription]) -> Prescription | None:
    return next((one for one in versions if one.state == state), None)


def _begin_draft(
    action: str, case: Consultation, by: User, versions: list[Prescription], lines: list[Line]
) -> list[PrescriptionLine]:
    """The next version, with its medicines and in one statement; `action` is written down of it."""
    rows = _new_rows(case, len(versions) + 1, lines)
    draft = rows[0].prescription
    insert_with(draft, *rows, event(action, draft, by=by, patient=case.patient))
    return rows


def _new_rows(case: Consultation, version: int, lines: list[Line]) -> list[PrescriptionLine]:
    """Of a draft that is new, too."""
    draft = Prescription(consultation=case, version=version)
    return [
        PrescriptionLine(prescription=draft, position=position, **asdict(line))
        for position, line in enumerate(lines[: Prescription.MAX_LINES], 1)
    ]


def _write_lines(
    draft: Prescription, rows: list[PrescriptionLine], lines: list[Line]
) -> list[PrescriptionLine]:
    """Only those that are another than before: mostly it is one that is being written."""
    kept = {row.position: row for row in rows}
    written, new = [], []
    for position, line in enumerate(lines, 1):
        row = kept.pop(position, None)
        if row is None:
            row = PrescriptionLine(prescription=draft, position=position, **asdict(line))
            new.append(row)
        elif Line.drafted(row) != line:
            update(PrescriptionLine, row.pk, asdict(line))
            for name, value in asdict(line).items():
                setattr(row, name, value)
        written.append(row)
    insert_all(new)
    if kept:
        PrescriptionLine.objects.filter(pk__in=[row.pk for row in kept.values()]).delete()
    return written


def _says_what_is_issued(versions: list[Prescription], lines: list[Line]) -> bool:
    """False when nothing was issued yet. Raises IssueRefused."""
    issued = _in(Prescription.State.ISSUED, versions)
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
def save_reasons(*, consultation: Consultation, reasons: dict[str, str], by: User) -> None:
    """Keep why the doctor prescribes in spite of warnings, by the warning's key. Needs a draft.

    Raises MoveRefused when the consultation is not in progress.
    """
    _write_reasons(lock_in_progress(consultation), by, reasons)


def _write_reasons(case: Consultation, by: User, reasons: dict[str, str]) -> None:
    draft = DRAFT.first(consultation=case.pk) if reasons else None
    if draft is None:
        return
    for key, reason in sorted(reasons.items()):
        WarningReason.objects.update_or_create(
            prescription=draft,
            key=key[:80],
            defaults={"reason": reason.strip(), "by": by, "at": timezone.now()},
        )
    record("prescription.reasons", draft, by=by, patient=case.patient)


@transaction.atomic
def revise_prescription(*, consultation: Consultation, by: User) -> Prescription:
    """A new draft with the lines of the issued one, to correct it. The issued one stays valid until then.

    Raises MoveRefused when the consultation is over; Prescription.DoesNotExist.
    """
    case = lock_in_progress(consultation)
    versions = PRESCRIPTIONS.all(consultation=case.pk)
    draft = _in(Prescription.State.DRAFT, versions)
    if draft:
        return draft
    issued = _in(Prescription.State.ISSUED, versions)
    if issued is None:
        raise Prescription.DoesNotExist
    lines = [Line.of(line) for line in (issued.document or {})["lines"]]
    rows = _begin_draft("prescription.revise", case, by, versions, lines)
    return rows[0].prescription
