"""The rows that a document is made of, in at most four queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from consult.models import Consultation, Note, Observation, Prescription, Referral


@dataclass(frozen=True)
class Record:
    """One consultation with what came of it."""

    consultation: Consultation
    note: Note | None = None
    prescription: Prescription | None = None
    observations: list[Observation] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The medicines as they were issued: frozen, whatever changes later."""
        return list((self.prescription.document or {})["lines"]) if self.prescription else []

    @property
    def doctor(self) -> Any:
        return self.consultation.doctor


def with_all() -> Any:
    """Consultations with the people and places that a document names."""
    return Consultation.objects.select_related(
        "patient__account", "patient__state", "patient__district", "clinic__speciality",
        "doctor__user", "doctor__facility", "doctor__speciality", "facility", "note",
    )  # fmt: skip


def record_of(consultation: Consultation) -> Record:
    """Of a consultation from with_all(): three more queries."""
    return records_of([consultation])[0]


def records_of(consultations: list[Consultation]) -> list[Record]:
    """Of any number of consultations from with_all(): three more queries for all."""
    ids = [one.pk for one in consultations]
    issued = {
        one.consultation_id: one
        for one in Prescription.objects.filter(
            consultation__in=ids, state=Prescription.State.ISSUED
        )
    }
    measured: dict[int, list[Observation]] = {pk: [] for pk in ids}
    for row in Observation.objects.filter(consultation__in=ids):
        measured[row.consultation_id].append(row)
    letters: dict[int, list[Referral]] = {pk: [] for pk in ids}
    written = Referral.objects.filter(consultation__in=ids)
    for letter in written.select_related("facility", "speciality"):
        letters[letter.consultation_id].append(letter)
    return [
        Record(
            consultation=one,
            note=getattr(one, "note", None),
            prescription=issued.get(one.pk),
            observations=measured[one.pk],
            referrals=letters[one.pk],
        )
        for one in consultations
    ]


def newest(observations: Iterable[Observation]) -> dict[str, Observation]:
    """Of each kind the last one that was measured."""
    return {row.kind: row for row in sorted(observations, key=lambda row: (row.taken_at, row.pk))}
