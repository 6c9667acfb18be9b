"""Issuing: the draft becomes a prescription, if the rules allow it at that moment."""

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actions import event
from accounts.models import AuditEvent, Doctor
from consult import broadcast
from consult.actions.drafting import IssueRefused
from consult.actions.telling import telling
from consult.document import document_of
from consult.models import Consultation, Note, Prescription, SigningKey
from consult.of_consultation import (
    IN_FORCE,
    PRESCRIPTIONS,
    is_emergency_of,
    lock_to_issue,
    note_of,
)
from consult.rules import Checked, check, known_on
from consult.signing import (
    CertificateMissing,
    KeyMissing,
    canonical_form,
    is_self_made,
    known_key,
    sign_row,
)
from esanjeevani.celery_app import enqueue
from esanjeevani.sql.composed import Question, together
from queues.models.moves import moved

log = logging.getLogger(__name__)


@transaction.atomic
def issue_prescription(
    *, consultation: Consultation, doctor: Doctor, generics: Iterable[str] = ()
) -> Prescription:
    """Freeze the draft, number and sign it, and mark an earlier version as replaced.

    Raises IssueRefused. Rules, formulary, the doctor's verification and the keys are those of this
    moment, whatever they were when the draft was written. Two tabs: the second finds no draft left
    and is refused with "issued". `generics` are those of the draft as it was read a moment ago.
    """
    generics, today = set(generics), timezone.localdate()
    locked, lines, measured, keys, formulary = lock_to_issue(
        consultation, known_key(), known_on(generics, today)
    )
    doctor, note = _may_issue(locked, doctor), _diagnosed(locked)
    if not lines:
        raise IssueRefused(_why_no_lines(locked))
    draft = lines[0].prescription
    if generics != {line.generic for line in lines}:
        formulary = None  # it was another draft
    checked = check(locked, lines, diagnosis=note.diagnosis, day=today, formulary=formulary)
    reasons = _reasons_against(checked, draft)
    if earlier := IN_FORCE.first(consultation=locked.pk) if draft.version > 1 else None:
        earlier.supersede()
    document = document_of(draft, lines, measured, locked, note, doctor, checked)
    document["warnings"] = reasons
    seen = event("prescription.issue", draft, by=doctor.user, patient=locked.patient)
    issuing = _issuing(draft, doctor, document, keys, seen)
    together(issuing, telling(locked, "prescription", number=_number_of(draft)))
    enqueue("consult.render", draft.pk)
    broadcast.prescription_changed(locked.pk)
    return draft


def _may_issue(locked: Consultation, doctor: Doctor) -> Doctor:
    """The doctor as registered now. Who may, and for whom: TPG 2020, 3.1, 3.3 and 3.6."""
    if locked.state != Consultation.State.IN_PROGRESS:
        raise IssueRefused("over")
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


def _diagnosed(locked: Consultation) -> Note:
    note = note_of(locked)
    if note is None or not note.diagnosis.strip():
        raise IssueRefused("no_diagnosis")
    return note


def _why_no_lines(consultation: Consultation) -> str:
    versions = PRESCRIPTIONS.all(consultation=consultation.pk)
    states = {one.state for one in versions}
    is_issued = Prescription.State.ISSUED in states and Prescription.State.DRAFT not in states
    return "issued" if is_issued else "no_lines"


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


def _number_of(draft: Prescription) -> str:
    return f"RX{timezone.localdate():%y%m%d}-{draft.pk}"


def _issuing(
    draft: Prescription,
    doctor: Doctor,
    document: dict[str, Any],
    keys: list[SigningKey],
    seen: AuditEvent,
) -> Question:
    """Signed. Raises IssueRefused("no_key"): nothing is issued unsigned, and the draft stays."""
    issued_at, number = timezone.now(), _number_of(draft)
    try:
        document["self_made_certificate"] = is_self_made()
        canonical = canonical_form(
            number=number, check_id=draft.check_id, issued_at=issued_at, document=document
        )
        signed = sign_row(canonical, keys)
    except (KeyMissing, CertificateMissing) as error:
        log.error("No prescription can be issued: %s", error)
        raise IssueRefused("no_key") from None
    move = draft.issuing(doctor=doctor, at=issued_at, number=number, document=document, **signed)
    return moved(move, seen)
