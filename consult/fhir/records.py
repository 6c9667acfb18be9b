"""The rows that a document is made of, in at most four queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BigAutoField, FilteredRelation, Q

from consult.models import (
    Attachment,
    Consultation,
    Note,
    Observation,
    Prescription,
    Referral,
)
from esanjeevani.sql.composed import Composed


@dataclass(frozen=True)
class Record:
    """One consultation with what came of it."""

    consultation: Consultation
    note: Note | None = None
    prescription: Prescription | None = None
    observations: list[Observation] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The medicines as they were issued: frozen, whatever changes later."""
        return list((self.prescription.document or {})["lines"]) if self.prescription else []

    @property
    def doctor(self) -> Any:
        return self.consultation.doctor


def with_all() -> Any:
    """Consultations with the people and places that a document names, and the prescription in force."""
    in_force = FilteredRelation(
        "prescriptions", condition=Q(prescriptions__state=Prescription.State.ISSUED)
    )
    return Consultation.objects.annotate(in_force=in_force).select_related(  # type: ignore[misc]
        "patient__account", "patient__state", "patient__district", "clinic__speciality",
        "doctor__user", "doctor__facility", "facility", "note", "in_force",
    )  # fmt: skip


_WHOLE = Composed(lambda pk: with_all().filter(pk=pk), pk=BigAutoField())
_MEASURED = Composed(lambda pk: Observation.objects.filter(consultation=pk), pk=BigAutoField())
_FILES = Composed(lambda pk: Attachment.objects.filter(consultation=pk), pk=BigAutoField())
_LETTERS = Composed(
    lambda pk: Referral.objects.filter(consultation=pk).select_related("facility", "speciality"),
    pk=BigAutoField(),
)


def record_of(pk: int) -> Record:
    """Of one consultation, by its row's id: the four queries, composed once."""
    one = _WHOLE.first(pk=pk)
    if one is None:
        raise Consultation.DoesNotExist
    return Record(
        consultation=one,
        note=getattr(one, "note", None),
        prescription=getattr(one, "in_force", None),
        observations=_MEASURED.all(pk=pk),
        referrals=_LETTERS.all(pk=pk),
        attachments=_FILES.all(pk=pk),
    )


def records_of(consultations: list[Consultation]) -> list[Record]:
    """Of any number of consultations from with_all(): three more queries for all."""
    ids = [one.pk for one in consultations]
    measured: dict[int, list[Observation]] = {pk: [] for pk in ids}
    for row in Observation.objects.filter(consultation__in=ids):
        measured[row.consultation_id].append(row)
    letters: dict[int, list[Referral]] = {pk: [] for pk in ids}
    written = Referral.objects.filter(consultation__in=ids)
    for letter in written.select_related("facility", "speciality"):
        letters[letter.consultation_id].append(letter)
    files: dict[int, list[Attachment]] = {pk: [] for pk in ids}
    for kept in Attachment.objects.filter(consultation__in=ids):
        files[kept.consultation_id].append(kept)
    return [
        Record(
            consultation=one,
            note=getattr(one, "note", None),
            prescription=getattr(one, "in_force", None),
            observations=measured[one.pk],
            referrals=letters[one.pk],
            attachments=files[one.pk],
        )
        for one in consultations
    ]


def newest(observations: Iterable[Observation]) -> dict[str, Observation]:
    """Of each kind the last one that was measured."""
    return {row.kind: row for row in sorted(observations, key=lambda row: (row.taken_at, row.pk))}
