"""What belongs to one consultation, as its pages and actions ask for it; each query is composed once."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import BigAutoField, Model, QuerySet

from consult.models import (
    Consultation,
    EmergencyReferral,
    FollowUpLink,
    Note,
    PaperPrescription,
    Prescription,
    PrescriptionLine,
)
from esanjeevani.composed import Composed

Row = TypeVar("Row", bound=Model)


def _of(mine: "Callable[[Any], QuerySet[Row]]") -> Composed[Row]:
    return Composed(lambda consultation: mine(consultation), consultation=BigAutoField())


def _prescription(state: str) -> Composed[Prescription]:
    return _of(lambda one: Prescription.objects.filter(consultation=one, state=state)[:1])


NOTE = _of(lambda one: Note.objects.filter(consultation=one))
DRAFT = _prescription(Prescription.State.DRAFT)
IN_FORCE = _prescription(Prescription.State.ISSUED)
DRAFT_LINES = _of(
    lambda one: PrescriptionLine.objects.filter(
        prescription__consultation=one, prescription__state=Prescription.State.DRAFT
    )
)
EMERGENCY = _of(lambda one: EmergencyReferral.objects.filter(consultation=one))
FOLLOWED_UP = _of(lambda one: FollowUpLink.objects.filter(consultation=one).select_related("visit"))
PAPERS = _of(lambda one: PaperPrescription.objects.filter(consultation=one))
_LOCKED = _of(lambda one: Consultation.objects.select_for_update().filter(pk=one))


def lock(consultation: Consultation) -> Consultation:
    """As it stands now, and nobody else's to change until the transaction ends.

    Raises Consultation.DoesNotExist.
    """
    found = _LOCKED.first(consultation=consultation.pk)
    if found is None:
        raise Consultation.DoesNotExist
    return found
