"""What a health centre does for a consultation besides bringing it: on the doctor's word, and after."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import BigAutoField
from django.utils import timezone

from accounts.actions import record
from accounts.models import Facility, User
from consult import broadcast
from consult.models import (
    Consultation,
    Dispensing,
    FollowUp,
    Instruction,
    Prescription,
    PrescriptionLine,
)
from esanjeevani.composed import Composed
from esanjeevani.rows import insert_unless_there
from queues.models import MoveRefused

LOCKED = Composed(
    lambda prescription: Prescription.objects.select_for_update().filter(pk=prescription),
    prescription=BigAutoField(),
)


@transaction.atomic
def instruct(*, consultation: Consultation, by: User, words: str) -> Instruction:
    """The doctor asks the health worker for something. Raises MoveRefused once it is over."""
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not locked.is_open or locked.facility_id is None:
        raise MoveRefused("Nobody is there to do it.")
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


@transaction.atomic
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
    issued = LOCKED.first(prescription=prescription.pk)
    if issued is None or issued.state != Prescription.State.ISSUED:
        raise MoveRefused("There is a newer prescription.")
    for line, (what, words) in given.items():
        _note(
            Dispensing(
                line=line,
                given=what,
                words=words,
                facility_id=facility.pk,
                dispensed_by_id=by.pk,
            )
        )
    patient = prescription.consultation.patient
    record("prescription.dispense", prescription, by=by, patient=patient)


def _note(dispensing: Dispensing) -> None:
    """Instead of what was noted of the line before, if anything was."""
    if not insert_unless_there(dispensing):
        Dispensing.objects.filter(line=dispensing.line_id).update(
            given=dispensing.given,
            words=dispensing.words,
            facility=dispensing.facility_id,
            dispensed_by=dispensing.dispensed_by_id,
            dispensed_at=dispensing.dispensed_at,
        )


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
