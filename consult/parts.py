"""What belongs to one consultation, as its pages ask for it; each question is composed once."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import BigAutoField, Model, QuerySet

from consult.models import (
    Attachment,
    ChatMessage,
    Consultation,
    FollowUp,
    Instruction,
    Note,
    Observation,
    Opinion,
    Prescription,
    PrescriptionLine,
    Referral,
)
from esanjeevani.composed import Composed

Row = TypeVar("Row", bound=Model)


def _of(rows: Callable[[Any], QuerySet[Row]]) -> Composed[Row]:
    return Composed(lambda case: rows(case), case=BigAutoField())


OBSERVATIONS = _of(lambda case: Observation.objects.filter(consultation=case))
ATTACHMENTS = _of(lambda case: Attachment.objects.filter(consultation=case))
SENT_FILES = _of(lambda case: Attachment.objects.filter(consultation=case, message=None))
MESSAGES = _of(
    lambda case: ChatMessage.objects.filter(consultation=case).select_related(
        "author", "attachment"
    )
)
INSTRUCTIONS = _of(lambda case: Instruction.objects.filter(consultation=case))
IN_FORCE = _of(
    lambda case: Prescription.objects.filter(consultation=case, state=Prescription.State.ISSUED)
)
NOTES = _of(lambda case: Note.objects.filter(consultation=case))
LETTERS = _of(
    lambda case: Referral.objects.filter(consultation=case).select_related(
        "facility", "issued_by__user"
    )
)
OPINIONS = _of(
    lambda case: (
        Opinion.objects.filter(consultation=case)
        .select_related("clinic__speciality", "specialist__user")
        .order_by("-pk")[:1]
    )
)
LINES = Composed(
    lambda prescription: PrescriptionLine.objects.filter(prescription=prescription).select_related(
        "dispensing"
    ),
    prescription=BigAutoField(),
)
FOLLOW_UPS = _of(lambda case: FollowUp.objects.filter(consultation=case))
WENT_ON = _of(
    lambda case: Consultation.objects.filter(continues=case).sent().select_related("clinic")
)


def issued_of(consultation: Consultation) -> Prescription | None:
    """The prescription in force."""
    return IN_FORCE.first(case=consultation.pk)


def note_of(consultation: Consultation) -> Note | None:
    return NOTES.first(case=consultation.pk)


def opinion_of(consultation: Consultation) -> Opinion | None:
    """The newest question to a specialist; None when nobody was asked."""
    return OPINIONS.first(case=consultation.pk)


def letters_of(consultation: Consultation) -> list[Referral]:
    return LETTERS.all(case=consultation.pk)


def chat_context(consultation: Consultation) -> dict[str, Any]:
    return {
        "chat": MESSAGES.all(case=consultation.pk),
        "attachments": SENT_FILES.all(case=consultation.pk),
    }
