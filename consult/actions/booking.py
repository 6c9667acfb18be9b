"""From what is wrong to the token: a patient's draft at home, its files, and the request."""

from django.db import transaction
from django.db.models import BigAutoField

from accounts.actions import event, record
from accounts.models import Patient, User
from consult.actions.chat import TooManyFiles
from consult.actions.telling import telling
from consult.consent import CONSENT_VERSION
from consult.models import Attachment, Consent, Consultation
from consult.uploads import CleanFile
from esanjeevani.sql.composed import Composed, together
from esanjeevani.sql.instances import new
from esanjeevani.sql.steps import insert_with
from queues.actions import NoToken, take_token
from queues.models import Clinic, MoveRefused, Token
from queues.models.moves import moved


class NothingSaid(Exception):
    """The case has no complaint yet; a doctor is asked something or not at all."""


DRAFT = Composed(
    lambda patient: Consultation.objects.select_for_update().filter(
        patient=patient, state="draft", facility=None
    ),
    patient=BigAutoField(),
)


def save_draft(*, patient: Patient, clinic: Clinic, by: User, **case: object) -> Consultation:
    """Keep what was typed so far: one draft per patient, whatever the browser does.

    `case` holds complaint, since, allergies, medicines, is_pregnant, is_disabled.
    """
    for _try in range(2):
        first = new(Consultation, patient=patient, clinic=clinic, **case)
        noted = event("consultation.draft", first, by=by, patient=patient)
        if insert_with(first, noted, unless_there=True):
            return first
        # None when the other tab sent the draft between our insert and our look.
        if draft := _change_draft(patient, by, {"clinic": clinic, **case}):
            return draft
    raise MoveRefused("The draft could not be saved.")


@transaction.atomic
def _change_draft(patient: Patient, by: User, values: dict[str, object]) -> Consultation | None:
    draft = DRAFT.first(patient=patient.pk)
    if draft is None:
        return None
    for name, value in values.items():
        setattr(draft, name, value)
    draft.save(update_fields=values)
    record("consultation.draft", draft, by=by, patient=patient)
    return draft


@transaction.atomic
def discard_draft(*, consultation: Consultation, by: User) -> None:
    """Raises MoveRefused once it was sent: then it has a place in the line, which is left."""
    if consultation.state != Consultation.State.DRAFT:
        raise MoveRefused("The case was sent already.")
    consultation.cancel(Consultation.EndReason.DISCARDED)
    record("consultation.discard", consultation, by=by, patient=consultation.patient)


@transaction.atomic
def add_attachment(*, consultation: Consultation, clean: CleanFile, by: User) -> Attachment:
    """Keep a checked file with the case. Raises TooManyFiles, MoveRefused once it was sent."""
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state != Consultation.State.DRAFT:
        raise MoveRefused("The case was sent already.")
    if locked.attachments.count() >= Attachment.PER_CASE:
        raise TooManyFiles(Attachment.PER_CASE)
    attachment = clean.attach(consultation, by)
    record("attachment.add", attachment, by=by, patient=consultation.patient)
    return attachment


@transaction.atomic
def remove_attachment(*, attachment: Attachment, by: User) -> None:
    """Take a file off a case that was not sent yet. Raises MoveRefused afterwards."""
    consultation = Consultation.objects.select_for_update().get(pk=attachment.consultation_id)
    if consultation.state != Consultation.State.DRAFT:
        raise MoveRefused("The case was sent already.")
    record("attachment.remove", attachment, by=by, patient=consultation.patient)
    storage, name = attachment.file.storage, str(attachment.file.name)
    attachment.delete()

    def delete_file() -> None:
        if not Attachment.objects.filter(file=name).exists():  # a case sent again shares its files
            storage.delete(name)

    transaction.on_commit(delete_file, robust=True)


@transaction.atomic
def request_consultation(
    *, consultation: Consultation, clinic: Clinic, by: User, language: str, may_phone: bool = False
) -> Consultation:
    """Record the consent, take the token and send the case, all or nothing.

    Raises NothingSaid, NoToken; AlreadyWaiting or MoveRefused when it was sent before: of a double
    click the second waits for the number of the first and then finds the patient in the line.
    """
    patient = consultation.patient
    if not consultation.complaint.strip():
        raise NothingSaid
    if not clinic.takes_opd:
        raise NoToken("closed")
    token = take_token(clinic=clinic, patient=patient, priority=priority_of(consultation))
    consent = Consent(
        consultation_id=consultation.pk,
        version=CONSENT_VERSION,
        language=language,
        given_by_id=by.pk,
    )
    requested = event("consultation.request", consultation, by=by, patient=patient)
    requesting = consultation.requesting(token, clinic=clinic, may_phone=may_phone)
    where = clinic.name_in(patient.language)
    together(
        moved(requesting, consent, requested),
        telling(consultation, "token", number=token.number, clinic=where),
    )
    return consultation


def priority_of(consultation: Consultation) -> int:
    """Seniors, pregnancy, infants and disability go before the rest.

    An emergency is said by a health worker, never by patients of themselves.
    """
    if consultation.is_emergency and consultation.facility_id is not None:
        return Token.Priority.EMERGENCY
    patient = consultation.patient
    first = (
        patient.is_senior
        or patient.is_infant
        or consultation.is_pregnant
        or consultation.is_disabled
    )
    return Token.Priority.PRIORITY if first else Token.Priority.ORDINARY
