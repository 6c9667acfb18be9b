"""What there is to show in the doctor's room: mostly nothing, and what is not there is not asked for."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigAutoField, Exists, QuerySet

from accounts.models import AuditEvent
from consult.models import (
    Attachment,
    ChatMessage,
    Consultation,
    InPersonVisit,
    Instruction,
    MedicineSet,
    Opinion,
    PaperPrescription,
    Prescription,
    Referral,
)
from esanjeevani.sql.composed import Columns, Question, together


def _look(consultation: Any, patient: Any, doctor: Any) -> "QuerySet[Any, Any]":
    """In the order of the fields of RoomHolds."""
    seen = Consultation.objects.filter(patient=patient, state=Consultation.State.COMPLETED)
    prescriptions = Prescription.objects.filter(consultation=consultation)
    there: list[QuerySet[Any]] = [
        prescriptions.filter(state=Prescription.State.DRAFT),
        prescriptions.filter(state=Prescription.State.ISSUED),
        ChatMessage.objects.filter(consultation=consultation),
        Attachment.objects.filter(consultation=consultation, message=None),
        Instruction.objects.filter(consultation=consultation),
        Opinion.objects.filter(consultation=consultation),
        Referral.objects.filter(consultation=consultation),
        PaperPrescription.objects.filter(consultation=consultation),
        InPersonVisit.objects.filter(patient=patient, doctor=doctor),
        MedicineSet.objects.filter(doctor=doctor),
        seen.exclude(pk=consultation),
    ]
    return Consultation.objects.filter(pk=consultation).values_list(*map(Exists, there))


LOOK = Columns(_look, consultation=BigAutoField(), patient=BigAutoField(), doctor=BigAutoField())


@dataclass(frozen=True)
class RoomHolds:
    """Whether there is any of each."""

    draft: bool
    issued: bool
    messages: bool
    files: bool
    instructions: bool
    opinions: bool
    letters: bool
    papers: bool
    visits: bool  # in person, of this doctor
    sets: bool
    earlier: bool  # consultations

    @staticmethod
    def asked(consultation: Consultation, seen: AuditEvent | None = None) -> Question:
        """In one query, in which each part is a look into an index; `seen` is written down with it."""
        return LOOK.asked(
            seen,
            consultation=consultation.pk,
            patient=consultation.patient_id,
            doctor=consultation.doctor_id,
        )

    @classmethod
    def of(cls, consultation: Consultation) -> "RoomHolds":
        ((found,),) = together(cls.asked(consultation))
        return cls(*found)
