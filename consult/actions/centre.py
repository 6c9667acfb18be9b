"""What a health centre does for a consultation besides bringing it: on the doctor's word, and after."""

from collections.abc import Mapping
from functools import lru_cache

from django.db import connection, transaction
from django.utils import timezone

from accounts.actions import event, record
from accounts.models import AuditEvent, Facility, User
from consult import broadcast
from consult.models import (
    Consultation,
    Dispensing,
    FollowUp,
    Instruction,
    Prescription,
    PrescriptionLine,
)
from esanjeevani.sql.steps import Steps, and_hold, insert_text, values_of
from queues.models import MoveRefused

# Nobody replaces the prescription until it is noted what was given of it.
IN_FORCE = "SELECT id FROM consult_prescription WHERE id = %(held)s AND state = 'issued'"


@transaction.atomic
def instruct(*, consultation: Consultation, by: User, words: str) -> Instruction:
    """The doctor asks the health worker for something. Raises MoveRefused once it is over.

    What is asked already, and not done yet, is not asked twice: an answer may have been lost on its way.
    """
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not locked.is_open or locked.facility_id is None:
        raise MoveRefused("Nobody is there to do it.")
    asked = locked.instructions.filter(words=words, done_at=None).first()
    if asked is not None:
        return asked
    instruction = Instruction.objects.create(consultation=locked, words=words, asked_by=by)
    record("instruction.ask", instruction, by=by, patient=consultation.patient)
    broadcast.instruction_changed(locked)
    return instruction


@transaction.atomic
def carry_out(*, instruction: Instruction, by: User, answer: str) -> Instruction:
    """The health worker has done it. Raises MoveRefused when a colleague was faster."""
    done = Instruction.objects.filter(pk=instruction.pk, done_at=None)
    if not done.update(answer=answer, done_at=timezone.now(), done_by=by):
        raise MoveRefused("It was done already.")
    consultation = instruction.consultation
    record("instruction.done", instruction, by=by, patient=consultation.patient)
    broadcast.instruction_changed(consultation)
    return instruction


def dispense(
    *,
    prescription: Prescription,
    facility: Facility,
    given: Mapping[PrescriptionLine, tuple[str, str]],
    by: User,
) -> None:
    """Note per line what was given, and how much or why not. Noting it again replaces the earlier.

    Raises MoveRefused when the prescription was replaced by a newer one meanwhile.
    """
    patient = prescription.consultation.patient
    noted = event("prescription.dispense", prescription, by=by, patient=patient)
    values = values_of("event", noted) | {"held": prescription.pk}
    for at, (line, (what, words)) in enumerate(given.items()):
        row = Dispensing(
            line=line, given=what, words=words, facility_id=facility.pk, dispensed_by_id=by.pk
        )
        values |= values_of(f"given_{at}", row)
    if not _gives(len(given), connection.vendor).ask(values):
        raise MoveRefused("There is a newer prescription.")


@lru_cache(maxsize=50)
def _gives(how_many: int, vendor: str) -> Steps:
    """What is noted of so many lines: instead of what was noted of them before, if anything was."""
    del vendor  # of what is sent
    again = "given", "words", "facility_id", "dispensed_at", "dispensed_by_id"
    sets = ", ".join(f"{column} = excluded.{column}" for column in again)
    lines = {
        f"given_{at}": f"{insert_text(f'given_{at}', Dispensing)} FROM held WHERE TRUE "
        f"ON CONFLICT (line_id) DO UPDATE SET {sets}"
        for at in range(how_many)
    }
    written = f"{insert_text('event', AuditEvent)} FROM held"
    return Steps("SELECT id FROM held", held=and_hold(IN_FORCE), **lines, event=written)


@transaction.atomic
def close_follow_up(*, follow_up: FollowUp, by: User, outcome: str, words: str = "") -> FollowUp:
    """The task is done, with how the patient is. Raises MoveRefused when it was closed already."""
    closed = FollowUp.objects.open().filter(pk=follow_up.pk)
    if not closed.update(
        outcome=outcome, outcome_words=words, closed_at=timezone.now(), closed_by=by
    ):
        raise MoveRefused("It was closed already.")
    record("followup.close", follow_up, by=by, patient=follow_up.patient)
    return follow_up


@transaction.atomic
def settle(*, consultation: Consultation, by: User) -> Consultation:
    """What came back is dealt with and not sent again. Raises MoveRefused when nothing came back."""
    facility = consultation.facility
    if facility is None:
        raise MoveRefused("It never left the patient's home.")
    back = Consultation.objects.came_back(facility).filter(pk=consultation.pk)
    if not back.update(settled_at=timezone.now(), settled_by=by):
        raise MoveRefused("It did not come back, or it was dealt with.")
    record("consultation.settle", consultation, by=by, patient=consultation.patient)
    broadcast.centre_changed(consultation)
    return consultation
