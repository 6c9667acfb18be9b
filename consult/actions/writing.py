"""Writing fast: sets and favourites of a doctor, and the last prescription once more."""

from dataclasses import asdict

from django.db import transaction

from accounts.actions import record
from accounts.models import Doctor, User
from consult.actions.drafting import Line, save_lines
from consult.models import Consultation, MedicineSet, Prescription
from consult.models.formulary import name_key
from consult.of_consultation import DRAFT_LINES


class TooManySets(Exception):
    """A doctor keeps at most MedicineSet.MOST sets."""


@transaction.atomic
def save_set(*, doctor: Doctor, name: str, lines: list[Line]) -> MedicineSet:
    """Keep these medicines under a name; the same name again replaces them. Raises TooManySets."""
    kept, created = MedicineSet.objects.update_or_create(
        doctor=doctor, name=name, defaults={"lines": [asdict(line) for line in lines]}
    )
    if created and doctor.medicine_sets.count() > MedicineSet.MOST:
        raise TooManySets
    record("medicineset.save", kept, by=doctor.user)
    return kept


@transaction.atomic
def delete_set(*, medicine_set: MedicineSet, by: User) -> None:
    record("medicineset.delete", medicine_set, by=by)
    medicine_set.delete()


def use_set(
    *, consultation: Consultation, medicine_set: MedicineSet, by: User
) -> Prescription | None:
    """Add the set's medicines to the draft. Raises what save_lines raises."""
    new = [Line.of(line) for line in medicine_set.lines]
    return add_lines(consultation=consultation, new=new, by=by)


def repeat_last(*, consultation: Consultation, by: User) -> Prescription | None:
    """Add what the patient was prescribed last to the draft; None when that is nothing.

    Raises what save_lines raises.
    """
    issued = Prescription.objects.filter(
        consultation__patient=consultation.patient_id, state=Prescription.State.ISSUED
    ).exclude(consultation=consultation.pk)
    last = issued.order_by("-issued_at").first()
    if last is None:
        return None
    record("prescription.read", last, by=by, patient=consultation.patient)
    new = [Line.of(line) for line in (last.document or {})["lines"]]
    return add_lines(consultation=consultation, new=new, by=by)


@transaction.atomic
def add_lines(*, consultation: Consultation, new: list[Line], by: User) -> Prescription | None:
    """Beside the medicines of the draft; one that it has already is not written twice."""
    Consultation.objects.select_for_update().get(pk=consultation.pk)
    there = draft_lines(consultation)
    names = {name_key(line.generic) for line in there}
    lines = there + [line for line in new if name_key(line.generic) not in names]
    return save_lines(consultation=consultation, lines=lines[: Prescription.MAX_LINES], by=by)


def draft_lines(consultation: Consultation) -> list[Line]:
    return [Line.drafted(row) for row in DRAFT_LINES.all(consultation=consultation.pk)]
