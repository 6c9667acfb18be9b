from django.db import transaction
from django.utils import timezone

from accounts.actions import queue_sms, record
from accounts.models import Doctor, User
from consult import broadcast
from consult.links import sms_link
from consult.models import Consultation, Note, Prescription
from queues import actions as queues
from queues.models import Clinic, MoveRefused, Token


@transaction.atomic
def call_next(*, clinic: Clinic, doctor: Doctor) -> Consultation:
    """Call the first present patient. Raises what queues.actions.call_next raises."""
    token = queues.call_next(clinic=clinic, doctor=doctor)
    consultation = Consultation.objects.with_people().get(token=token)
    Consultation.objects.filter(pk=consultation.pk).update(doctor=doctor)
    consultation.doctor = doctor
    record("consultation.call", consultation, by=doctor.user, patient=consultation.patient)
    return consultation


@transaction.atomic
def begin(*, consultation: Consultation, by: User) -> Consultation:
    """The patient answers the call and comes in. Raises MoveRefused when the call is over."""
    token = token_of(consultation)
    if token.doctor is None:
        raise MoveRefused("Nobody is calling.")
    queues.answer_call(token=token)
    consultation.begin(token.doctor)
    record("consultation.begin", consultation, by=by, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return consultation


@transaction.atomic
def leave(*, consultation: Consultation, by: User) -> Consultation:
    """The patient gives the place up. Raises MoveRefused once the doctor has begun."""
    queues.leave_line(token=token_of(consultation))
    consultation.cancel(Consultation.EndReason.LEFT)
    record("consultation.leave", consultation, by=by, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return consultation


@transaction.atomic
def pass_over(*, consultation: Consultation, by: User) -> Consultation:
    """The doctor waits no longer for an answer. Raises MoveRefused when the patient came in."""
    token = queues.pass_over(token=token_of(consultation))
    record("consultation.pass_over", consultation, by=by, patient=consultation.patient)
    after_pass(token, consultation)
    return consultation


def after_pass(token: Token, consultation: Consultation) -> None:
    """Tell the patient of the call that was missed; the second one ends the consultation."""
    patient = consultation.patient
    if token.state == Token.State.NO_SHOW:
        consultation.cancel(Consultation.EndReason.NO_SHOW)
        key = "no_show"
    else:
        Consultation.objects.filter(pk=consultation.pk).update(doctor=None)
        key = "missed"
    queue_sms(
        to=patient.account.phone,
        key=key,
        language=patient.language,
        number=token.number,
        link=sms_link(consultation),
    )
    broadcast.consultation_changed(consultation)


@transaction.atomic
def save_note(*, consultation: Consultation, by: User, **words: object) -> Note:
    """Keep the doctor's findings, diagnosis, tests, advice and follow-up as they are typed.

    Raises MoveRefused when the consultation is not in progress: afterwards nothing is edited.
    """
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    note, _created = Note.objects.update_or_create(
        consultation=locked, defaults={**words, "written_by": by, "written_at": timezone.now()}
    )
    record("note.write", f"consultation:{locked.uid}", by=by, patient=consultation.patient)
    return note


@transaction.atomic
def complete(*, consultation: Consultation, by: User) -> Consultation:
    """The doctor ends it. An unfinished draft of a prescription goes. Raises MoveRefused."""
    queues.finish_token(token=token_of(consultation))
    consultation.complete()
    for draft in consultation.prescriptions.filter(state=Prescription.State.DRAFT):
        draft.lines.all().delete()
        draft.delete()
    record("consultation.complete", consultation, by=by, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return consultation


@transaction.atomic
def return_consultation(
    *, consultation: Consultation, by: User, reason: str, words: str
) -> Consultation:
    """Send the case back with a reason, before or during the talk. Raises MoveRefused."""
    patient = consultation.patient
    token = token_of(consultation)
    if token.state == Token.State.SERVING:
        queues.finish_token(token=token)
    else:
        queues.leave_line(token=token)
    consultation.send_back(reason, words)
    record("consultation.return", consultation, by=by, patient=patient)
    queue_sms(
        to=patient.account.phone,
        key="returned",
        language=patient.language,
        number=token.number,
        link=sms_link(consultation),
    )
    broadcast.consultation_changed(consultation)
    return consultation


def token_of(consultation: Consultation) -> Token:
    """The token as it is now, for a move. The token always moves before its consultation: one order
    of locks, so that two requests can wait for each other but never both."""
    tokens = Token.objects.select_related("clinic", "doctor__user")
    token = tokens.filter(consultation=consultation).first()
    if token is None:
        raise MoveRefused("A draft has no place in a line.")
    return token
