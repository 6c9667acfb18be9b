"""Going on with the medicines of a prescription: the patient asks, the same doctor answers in writing."""

from django.db import IntegrityError, transaction

from accounts.actions import record
from accounts.models import Doctor, User
from consult import broadcast
from consult.actions.drafting import Line, save_lines
from consult.consent import CONSENT_VERSION
from consult.models import Consent, Consultation, Prescription, RefillRequest
from queues.models import MoveRefused


class AlreadyAsked(Exception):
    """A request for this prescription waits for the doctor already."""


@transaction.atomic
def request_refill(
    *, prescription: Prescription, by: User, words: str, language: str
) -> RefillRequest:
    """The patient asks the doctor who issued it to go on. Asking is the consent (TPG 2020, 3.4).

    Raises AlreadyAsked; MoveRefused when the prescription is not in force.
    """
    if prescription.state != Prescription.State.ISSUED or prescription.issued_by is None:
        raise MoveRefused("It is not in force.")
    try:
        with transaction.atomic():
            request = RefillRequest.objects.create(
                prescription=prescription,
                doctor=prescription.issued_by,
                words=words,
                language=language,
                requested_by=by,
            )
    except IntegrityError:
        raise AlreadyAsked from None
    patient = prescription.consultation.patient
    record("refill.request", request, by=by, patient=patient)
    broadcast.refill_changed(request)
    return request


@transaction.atomic
def withdraw_refill(*, refill: RefillRequest, by: User) -> None:
    """Raises MoveRefused once the doctor looks at it."""
    waiting = RefillRequest.objects.filter(pk=refill.pk, state=RefillRequest.State.WAITING)
    if not waiting.update(state=RefillRequest.State.WITHDRAWN):
        raise MoveRefused("The doctor looks at it already.")
    record("refill.withdraw", refill, by=by, patient=refill.prescription.consultation.patient)
    broadcast.refill_changed(refill)


@transaction.atomic
def take_refill(*, refill: RefillRequest, doctor: Doctor) -> Consultation:
    """A consultation in writing with the same medicines as a draft. Raises MoveRefused.

    It begins and ends as any other: the rules look at it as at any other, too.
    """
    locked = RefillRequest.objects.select_for_update().get(pk=refill.pk)
    if locked.state != RefillRequest.State.WAITING or not doctor.is_verified:
        raise MoveRefused("It was taken or withdrawn, or the doctor may not.")
    consultation = _as_a_consultation(locked)
    consultation.begin(doctor)
    locked.state, locked.consultation = RefillRequest.State.TAKEN, consultation
    locked.save(update_fields=["state", "consultation"])
    lines = [Line.of(line) for line in (locked.prescription.document or {})["lines"]]
    save_lines(consultation=consultation, lines=lines, by=doctor.user)
    record("refill.take", locked, by=doctor.user, patient=consultation.patient)
    broadcast.consultation_changed(consultation)
    return consultation


def _as_a_consultation(asked: RefillRequest) -> Consultation:
    """In writing, with the patient's consent."""
    earlier = asked.prescription.consultation
    consultation = Consultation.objects.create(
        patient=earlier.patient,
        clinic=earlier.clinic,
        complaint=asked.words,
        since=Consultation.Since.MONTHS,
        allergies=earlier.allergies,
        medicines=earlier.medicines,
        is_pregnant=earlier.is_pregnant,
        is_written=True,
        state=Consultation.State.REQUESTED,
        requested_at=asked.requested_at,
    )
    Consent.objects.create(
        consultation=consultation,
        version=CONSENT_VERSION,
        language=asked.language,
        given_at=asked.requested_at,
        given_by=asked.requested_by,
    )
    return consultation
