"""What the doctor notes, in one statement: most of what a page saves by itself is a few words more."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.actions import event
from accounts.models import AuditEvent, User
from consult.models import Consultation, Note
from consult.of_consultation import note_of
from esanjeevani.sql.rows import is_inserted
from esanjeevani.sql.steps import Steps, Values, and_hold, insert_text, values_of
from queues.models import MoveRefused

# The consultation is nobody else's to end until the note is written, or the transaction is over.
HELD = "SELECT id FROM consult_consultation WHERE id = %(held)s AND state = 'in_progress'"


def save_note(*, consultation: Consultation, by: User, **words: object) -> Note:
    """Keep the doctor's findings, diagnosis, tests, advice and follow-up as they are typed.

    Raises MoveRefused when the consultation is not in progress: afterwards nothing is edited.
    """
    note, values = noted(consultation, by, words)
    written = _writes(tuple(words), connection.vendor).ask(values | {"held": consultation.pk})
    if not written:
        raise MoveRefused("The consultation is not in progress.")
    is_inserted(note, written[0][0])
    consultation.note = note  # for whoever goes on with it
    return note


@lru_cache(maxsize=20)
def _writes(words: tuple[str, ...], vendor: str) -> Steps:
    del vendor  # of what is sent
    return Steps("SELECT id FROM note", held=and_hold(HELD), **noting(words))


def noted(consultation: Consultation, by: User, words: Values) -> tuple[Note, Values]:
    """The note with these words, and the values of the steps of noting()."""
    note = note_of(consultation) or Note(consultation=consultation)
    for name, value in {**words, "written_by": by, "written_at": timezone.now()}.items():
        setattr(note, name, value)
    target = f"consultation:{consultation.uid}"
    read = event("note.write", target, by=by, patient=consultation.patient)
    return note, values_of("note", note) | values_of("event", read)


def noting(words: Iterable[str]) -> dict[str, str]:
    """Steps behind `held`: the first words make the note, later ones change what they are about."""
    fields: list[Any] = [
        Note._meta.get_field(name) for name in (*words, "written_by", "written_at")
    ]
    sets = ", ".join(f"{field.column} = excluded.{field.column}" for field in fields)
    note = insert_text("note", Note, consultation_id="held.id")
    return {
        "note": f"{note} FROM held WHERE TRUE "
        f"ON CONFLICT (consultation_id) DO UPDATE SET {sets} RETURNING id",
        "event": f"{insert_text('event', AuditEvent)} FROM note",
    }
