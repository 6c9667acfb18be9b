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
    issued = Prescription.objects.filter(
        consultation=consultation, state=Prescription.State.ISSUED
    ).first()
    measured = list(Observation.objects.filter(consultation=consultation))
    for row in measured:
        row.patient = consultation.patient
    letters = Referral.objects.filter(consultation=consultation)
    return Record(
        consultation=consultation,
        note=getattr(consultation, "note", None),
        prescription=issued,
        observations=measured,
        referrals=list(letters.select_related("facility", "speciality")),
    )


def newest(observations: Iterable[Observation]) -> dict[str, Observation]:
    """Of each kind the last one that was measured."""
    return {row.kind: row for row in sorted(observations, key=lambda row: (row.taken_at, row.pk))}
