"""What the doctor writes down of earlier care, and the emergency button."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import User
from consult import broadcast
from consult.actions.room import return_consultation
from consult.actions.telling import tell
from consult.models import (
    Consultation,
    EmergencyReferral,
    FollowUpLink,
    InPersonVisit,
    PaperPrescription,
)
from queues.models import MoveRefused


@transaction.atomic
def record_visit(
    *,
    consultation: Consultation,
    by: User,
    condition: str,
    seen_on: date,
    place: str,
    medicines: str = "",
) -> InPersonVisit:
    """The doctor of the consultation saw its patient in person; this consultation follows that up.

    Raises MoveRefused when the consultation is not in progress.
    """
    locked = _in_progress(consultation)
    if locked.doctor is None:
        raise AssertionError("A consultation in progress has a doctor.")
    visit = InPersonVisit.objects.create(
        patient=locked.patient,
        doctor=locked.doctor,
        condition=condition,
        seen_on=seen_on,
        place=place,
        medicines=medicines,
    )
    record("visit.record", visit, by=by, patient=locked.patient)
    return link_visit(consultation=locked, visit=visit, by=by)


@transaction.atomic
def link_visit(*, consultation: Consultation, visit: InPersonVisit, by: User) -> InPersonVisit:
    """This consultation follows that visit up. Raises MoveRefused, also for another doctor's visit."""
    locked = _in_progress(consultation)
    if visit.doctor_id != locked.doctor_id or visit.patient_id != locked.patient_id:
        raise MoveRefused("The visit was another doctor's or another patient's.")
    FollowUpLink.objects.update_or_create(
        consultation=locked,
        defaults={"visit": visit, "linked_by": by, "linked_at": timezone.now()},
    )
    record("visit.link", visit, by=by, patient=locked.patient)
    return visit


@transaction.atomic
def unlink_visit(*, consultation: Consultation, by: User) -> None:
    """A first consultation after all. Raises MoveRefused when it is not in progress."""
    locked = _in_progress(consultation)
    FollowUpLink.objects.filter(consultation=locked).delete()
    record("visit.unlink", locked, by=by, patient=locked.patient)


@transaction.atomic
def record_paper(
    *, consultation: Consultation, by: User, generic: str, written_on: date, written_by: str
) -> PaperPrescription:
    """The doctor has seen an earlier prescription of this medicine. Raises MoveRefused."""
    locked = _in_progress(consultation)
    paper = PaperPrescription.objects.create(
        consultation=locked,
        generic=generic,
        written_on=written_on,
        written_by=written_by,
        seen_by=by,
    )
    record("paper.record", paper, by=by, patient=locked.patient)
    return paper


@transaction.atomic
def declare_emergency(*, consultation: Consultation, by: User) -> EmergencyReferral:
    """From now on first aid and the way to a hospital only; the patient is told at once.

    Raises MoveRefused when the consultation is not in progress. Pressing twice changes nothing.
    """
    locked = _in_progress(consultation)
    emergency, created = EmergencyReferral.objects.get_or_create(
        consultation=locked, defaults={"declared_by": by}
    )
    if created:
        record("emergency.declare", locked, by=by, patient=locked.patient)
        tell(locked, "emergency")
        broadcast.emergency_declared(locked.pk)
    return emergency


@transaction.atomic
def refer_emergency(
    *, consultation: Consultation, by: User, first_aid: str, refer_to: str
) -> EmergencyReferral:
    """The only end of an emergency: what to do until help is there, where to go, and that it was said.

    Raises MoveRefused when it is over, or was never called an emergency.
    """
    emergency = EmergencyReferral.objects.filter(consultation=consultation).first()
    if emergency is None:
        raise MoveRefused("Nobody called it an emergency.")
    if consultation.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    # The end first: it locks the token before the consultation, as everywhere.
    return_consultation(
        consultation=consultation,
        by=by,
        reason=Consultation.EndReason.EMERGENCY,
        words=f"{refer_to}\n{first_aid}"[:500],
    )
    emergency.first_aid, emergency.refer_to = first_aid, refer_to
    emergency.told_at = timezone.now()
    emergency.save(update_fields=["first_aid", "refer_to", "told_at"])
    record("emergency.refer", consultation, by=by, patient=consultation.patient)
    return emergency


def _in_progress(consultation: Consultation) -> Consultation:
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    return locked
