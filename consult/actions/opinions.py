"""Doctor to doctor: a specialist's opinion, a transfer of care, a letter to be seen in person."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import Doctor, Facility, Speciality
from consult import broadcast
from consult.actions.cases import copy_findings
from consult.actions.room import close_what_is_open, refuse_routine_end
from consult.document import letter_of
from consult.models import Consent, Consultation, Opinion, Referral
from queues import actions as queues
from queues.models import Clinic, KeptApart, MoveRefused, Token


class NotAsked(Exception):
    """This doctor is not one who was asked: not on duty in that clinic, the treating doctor, or kept
    apart from the patient."""


@transaction.atomic
def ask_opinion(
    *, consultation: Consultation, doctor: Doctor, clinic: Clinic, question: str
) -> Opinion:
    """Ask the specialists of a clinic; the doctor who asks stays the treating doctor.

    Raises MoveRefused when the consultation is not in progress, or a specialist is asked already.
    """
    locked = _in_progress(consultation, doctor)
    try:
        with transaction.atomic():
            opinion = Opinion.objects.create(
                consultation=locked, clinic=clinic, asked_by=doctor, question=question
            )
    except IntegrityError:
        raise MoveRefused("A specialist is asked already.") from None
    record("opinion.ask", opinion, by=doctor.user, patient=consultation.patient)
    broadcast.opinion_changed(opinion)
    return opinion


def _in_progress(consultation: Consultation, doctor: Doctor) -> Consultation:
    """Locked, and this doctor's. Raises MoveRefused."""
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state != Consultation.State.IN_PROGRESS or locked.doctor_id != doctor.pk:
        raise MoveRefused("The consultation is not in progress.")
    return locked


@transaction.atomic
def join(*, opinion: Opinion, specialist: Doctor) -> Opinion:
    """The specialist comes in. Raises NotAsked; MoveRefused when another was faster."""
    asked = opinion.clinic
    if (
        not specialist.is_verified
        or specialist.pk == opinion.asked_by_id
        or not queues.is_on_duty(specialist, asked)
        or KeptApart.are(specialist, opinion.consultation.patient)
    ):
        raise NotAsked
    opinion.join(specialist)
    record("opinion.join", opinion, by=specialist.user, patient=opinion.consultation.patient)
    broadcast.opinion_changed(opinion)
    return opinion


@transaction.atomic
def give_opinion(*, opinion: Opinion, specialist: Doctor, answer: str) -> Opinion:
    """In writing, for the treating doctor and the record. Raises NotAsked, MoveRefused."""
    if opinion.specialist_id != specialist.pk:
        raise NotAsked
    opinion.give(answer)
    record("opinion.give", opinion, by=specialist.user, patient=opinion.consultation.patient)
    broadcast.opinion_changed(opinion)
    return opinion


@transaction.atomic
def withdraw_opinion(*, opinion: Opinion, doctor: Doctor) -> Opinion:
    """The treating doctor no longer needs it. Raises MoveRefused."""
    opinion.withdraw()
    record("opinion.withdraw", opinion, by=doctor.user, patient=opinion.consultation.patient)
    broadcast.opinion_changed(opinion)
    return opinion


@transaction.atomic
def transfer_care(
    *, consultation: Consultation, doctor: Doctor, clinic: Clinic, words: str
) -> Consultation:
    """Another clinic's doctor takes over; returns the new consultation, which waits there.

    The patient has waited once, so goes before ordinary ones, and is told in `words`: a transfer is
    no opinion and is said (Telemedicine Practice Guidelines 2020, 4.5). Raises NoToken,
    AlreadyWaiting; MoveRefused when the consultation is not in progress.
    """
    serving = Token.objects.select_for_update(of=("self",)).select_related("clinic", "patient")
    token = serving.filter(consultation=consultation).first()
    locked = _in_progress(consultation, doctor)
    refuse_routine_end(locked)
    if token is None:
        raise MoveRefused("A written case is returned with a suggestion instead.")
    moved = queues.move_token(
        token=token, clinic=clinic, priority=min(token.priority, Token.Priority.PRIORITY)
    )
    locked.hand_over()
    Consultation.objects.filter(pk=locked.pk).update(end_words=words, suggested_clinic=clinic)
    close_what_is_open(locked)
    later = _continued(locked, clinic, moved)
    record("consultation.transfer", later, by=doctor.user, patient=later.patient)
    broadcast.consultation_changed(locked)
    return later


def _continued(earlier: Consultation, clinic: Clinic, token: Token) -> Consultation:
    """The same case as a consultation of the other clinic, already in its line."""
    now = timezone.now()
    later = Consultation.objects.create(
        patient=earlier.patient,
        clinic=clinic,
        token=token,
        state=Consultation.State.REQUESTED,
        requested_at=now,
        requested_by=earlier.requested_by,
        facility=earlier.facility,
        attested_at=earlier.attested_at,
        attested_by=earlier.attested_by,
        completeness=earlier.completeness,
        continues=earlier,
        follow_up_of=earlier.follow_up_of,
        **earlier.words(),
    )
    copy_findings(earlier, later)
    given = Consent.objects.get(consultation=earlier)
    given.pk, given.consultation = None, later
    given.save(force_insert=True)
    return later


@transaction.atomic
def refer_in_person(
    *,
    consultation: Consultation,
    doctor: Doctor,
    urgency: str,
    reason: str,
    facility: Facility | None = None,
    place: str = "",
    speciality: Speciality | None = None,
) -> Referral:
    """A letter that the patient takes along. Raises MoveRefused unless in progress.

    The same once more is the same letter: its first answer may have been lost on its way.
    """
    locked = _in_progress(consultation, doctor)
    fields: dict[str, Any] = {
        "facility": facility,
        "place": "" if facility else place,
        "speciality": speciality,
        "urgency": urgency,
        "reason": reason,
    }
    written = locked.referrals.filter(issued_by=doctor, **fields).first()
    if written is not None:
        return written
    now = timezone.localtime()
    referral = Referral(
        consultation=locked,
        issued_by=doctor,
        issued_at=now,
        number=f"RF{now:%y%m%d}-{locked.pk}-{locked.referrals.count() + 1}",
        **fields,
    )
    referral.document = letter_of(referral, consultation, doctor)
    referral.save(force_insert=True)
    record("referral.issue", referral, by=doctor.user, patient=consultation.patient)
    broadcast.instruction_changed(locked)
    return referral
