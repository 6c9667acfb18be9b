"""The first medicines of a consultation in one statement, with what was noted."""

from functools import lru_cache
from typing import Any

from django.db import connection

from accounts.actions import event
from accounts.models import AuditEvent, User
from consult.actions.notes import HELD, noted, noting
from consult.models import Consultation, Prescription, PrescriptionLine
from esanjeevani.sql.rows import is_inserted
from esanjeevani.sql.steps import Steps, and_hold, insert_text, values_of
from queues.models import MoveRefused

OF_DRAFT = {"prescription_id": "draft.id"}


def begin_first(
    *,
    consultation: Consultation,
    by: User,
    words: dict[str, Any] | None,
    rows: list[PrescriptionLine],
) -> bool:
    """Insert the draft that the new rows belong to, with them, and keep the words.

    False when another page has begun one meanwhile: then the words alone are kept. Raises MoveRefused
    when the consultation is not in progress.
    """
    draft = rows[0].prescription
    seen = event("prescription.draft", draft, by=by, patient=consultation.patient)
    values = {"held": consultation.pk} | values_of("draft", draft) | values_of("seen", seen)
    for at, row in enumerate(rows):
        values |= values_of(f"line_{at}", row, OF_DRAFT)
    note = None
    if words is not None:
        note, of_note = noted(consultation, by, words)
        values |= of_note
    found = _begins(tuple(words) if words is not None else None, len(rows), connection.vendor).ask(
        values
    )
    if not found:
        raise MoveRefused("The consultation is not in progress.")
    ((note_key, key),) = found
    if note is not None:
        is_inserted(note, note_key)
        consultation.note = note
    if key is not None:
        is_inserted(draft, key)
    return key is not None


@lru_cache(maxsize=100)
def _begins(words: tuple[str, ...] | None, how_many: int, vendor: str) -> Steps:
    del vendor  # of the names' quotes and of what is sent
    draft = insert_text("draft", Prescription)
    lines = {
        f"line_{at}": f"{insert_text(f'line_{at}', PrescriptionLine, **OF_DRAFT)} FROM draft"
        for at in range(how_many)
    }
    note = {} if words is None else noting(words)
    return Steps(
        f"SELECT {'(SELECT id FROM note)' if note else 'NULL'}, (SELECT id FROM draft) FROM held",  # noqa: S608
        held=and_hold(HELD),
        **note,
        draft=f"{draft} FROM held WHERE TRUE ON CONFLICT DO NOTHING RETURNING id",
        **lines,
        seen=f"{insert_text('seen', AuditEvent)} FROM draft",
    )
