"""A health centre's case on its way: through the gates to a clinic, and from there to another."""

from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BigAutoField, DateField, Exists, OuterRef
from django.utils import timezone

from accounts.actions import event, record
from accounts.models import User
from consult import broadcast
from consult.actions.booking import priority_of
from consult.actions.cases import reopen_case
from consult.consent import CONSENT_VERSION
from consult.models import Consent, Consultation, Observation
from consult.models.consultations import ConsultationQuerySet
from consult.of_consultation import ATTACHMENTS, OBSERVATIONS, knowing
from consult.readiness import Attested, completeness, obstacles
from esanjeevani.sql.composed import Composed, Question, together
from queues import actions as queues
from queues.door import Look, look
from queues.models import Clinic, HubLink, MoveRefused, Token
from queues.models.moves import move_all


class NotReady(Exception):
    """The gates hold it back; `obstacles` are the codes of consult.readiness, no_link or no_reason."""

    def __init__(self, obstacles: list[str]) -> None:
        super().__init__(", ".join(obstacles))
        self.obstacles = obstacles


class AlreadySent(Exception):
    """The patient's case is on its way from this health centre; `consultation` is that one, if known."""

    def __init__(self, consultation: Consultation | None) -> None:
        super().__init__("already sent")
        self.consultation = consultation


def _open_there(patient: Any, facility: Any, but: Any) -> ConsultationQuerySet:
    return Consultation.objects.open().filter(patient=patient, facility=facility).exclude(pk=but)


def _to_be_sent(case: Any, clinic: Any, today: Any) -> ConsultationQuerySet:
    """Locked, with what the gates look at, and with what stands between it and this clinic."""
    links = HubLink.objects.in_force(today).filter(spoke=OuterRef("facility"), clinic=clinic)
    other = _open_there(OuterRef("patient"), OuterRef("facility"), OuterRef("pk"))
    return (
        knowing(Consultation.objects.filter(pk=case), ATTACHMENTS)
        .annotate(is_linked=Exists(links), is_another_open=Exists(other))
        .select_for_update(of=("self",))
        .select_related("patient__account", "facility__state")
    )


LOCKED = Composed(_to_be_sent, case=BigAutoField(), clinic=BigAutoField(), today=DateField())
OPEN_THERE = Composed(
    lambda **of: _open_there(**of).select_related("clinic", "token"),
    patient=BigAutoField(),
    facility=BigAutoField(),
    but=BigAutoField(),
)


@dataclass(frozen=True)
class Sending:
    """How a case is sent.

    `proposed` is the clinic that the page proposed; another one needs a reason in `because`. With
    `is_written` it is answered in writing, without a call (store and forward). `phone` says at whose
    number the doctor may phone if the call breaks off: "patient", "centre", or empty for neither.
    """

    clinic: Clinic
    proposed: Clinic | None
    said: Attested
    because: str = ""
    is_written: bool = False
    language: str = "en"
    how: str = Consent.How.SPOKEN
    phone: str = ""


@transaction.atomic
def send_case(*, draft: Consultation, sending: Sending, by: User) -> Consultation:
    """Past the gates, into the line of the clinic or onto its pile of written cases.

    Raises NotReady, AlreadySent, and NoToken where the clinic takes nobody now.
    """
    at_the_door = [] if sending.is_written else [look(sending.clinic, draft.patient)]
    locked, measured, *there = _locked(draft, sending.clinic, *at_the_door)
    if locked.state != Consultation.State.DRAFT:
        raise AlreadySent(locked)
    in_the_way = obstacles(locked, sending.clinic, sending.said, measured)
    in_the_way += _wrong_choice(locked, sending)
    if in_the_way:
        raise NotReady(in_the_way)
    place = None if sending.is_written else _place_for(locked, sending.clinic, by, *there)
    try:
        _request(locked, place, sending, measured, by)
    except IntegrityError:
        raise AlreadySent(None) from None
    broadcast.consultation_changed(locked)
    broadcast.written_changed(locked)
    return locked


def _request(
    case: Consultation,
    place: queues.Place | None,
    sending: Sending,
    measured: list[Observation],
    by: User,
) -> None:
    """With the patient's consent, all in one statement, and the last of the transaction."""
    consent = Consent(
        consultation_id=case.pk,
        version=CONSENT_VERSION,
        language=sending.language,
        how=sending.how,
        given_by_id=by.pk,
    )
    beside = [consent, event("consultation.request", case, by=by, patient=case.patient)]
    requesting = case.requesting(
        place and place.token,
        clinic=sending.clinic,
        chosen_because=sending.because if _is_other(sending) else "",
        is_written=sending.is_written,
        requested_by=by,
        attested_at=timezone.now(),
        attested_by=by,
        may_phone=bool(sending.phone),
        phone_centre=sending.phone == "centre",
        completeness=completeness(case, measured),
    )
    if place is None:
        move_all(requesting, beside=beside)
    else:
        queues.put_in_line(place, requesting, beside)


def _locked(consultation: Consultation, clinic: Clinic, *beside: Question) -> Any:
    """As it is now, on its way to `clinic`; only the consultation itself is locked. And what was measured
    by then, and what is asked `beside` it behind that lock.

    Without its clinic: a row that waited for a colleague's move to another one would not be found.
    """
    today = timezone.localdate()
    found, *others = together(
        LOCKED.asked(case=consultation.pk, clinic=clinic.pk, today=today),
        OBSERVATIONS.asked(consultation=consultation.pk),
        *beside,
    )
    if not found:
        raise Consultation.DoesNotExist
    return found[0], *others


def _locked_token(consultation: Consultation) -> Token | None:
    """Before the consultation, as everywhere: a doctor who calls locks them in this order too."""
    tokens = Token.objects.select_for_update(of=("self",)).select_related("clinic", "patient")
    return tokens.filter(consultation=consultation).first()


def open_at_centre(consultation: Consultation) -> Consultation | None:
    """What this health centre has open for this patient: never two at once."""
    return OPEN_THERE.first(
        patient=consultation.patient_id, facility=consultation.facility_id, but=consultation.pk
    )


def _wrong_choice(consultation: Consultation, sending: Sending) -> list[str]:
    if not consultation.is_linked:  # type: ignore[attr-defined]  # as it was locked
        return ["no_link"]
    return ["no_reason"] if _is_other(sending) and not sending.because.strip() else []


def _is_other(sending: Sending) -> bool:
    return sending.proposed is not None and sending.proposed != sending.clinic


def _place_for(
    consultation: Consultation, clinic: Clinic, by: User, there: Look | None = None
) -> queues.Place:
    if consultation.is_another_open:  # type: ignore[attr-defined]  # as it was locked
        raise AlreadySent(None)
    return queues.place_for(
        clinic=clinic,
        patient=consultation.patient,
        priority=priority_of(consultation),
        brought_by=by,
        there=there,
    )


@transaction.atomic
def send_again(*, earlier: Consultation, sending: Sending, by: User) -> Consultation:
    """One click: the case that came back goes to another clinic as it is. Raises as send_case.

    The consent of the same case holds; that the patient is here is attested anew. MoveRefused when
    it did not come back. A colleague who is writing on the case is not overtaken: MoveRefused then
    too, and what they write is sent by them.
    """
    if not Consultation.objects.filter(Consultation.CAME_BACK, pk=earlier.pk).exists():
        raise MoveRefused("The case has not come back.")
    if went_on := earlier.continued_by.sent().first():
        raise AlreadySent(went_on)
    given = Consent.objects.get(consultation=earlier)
    draft = reopen_case(earlier=earlier, by=by)
    if draft.continues_id != earlier.pk or draft.revision:
        raise MoveRefused("Somebody is writing on a case of this patient.")
    said = replace(sending.said, consent_given=True)
    phone = ("centre" if earlier.phone_centre else "patient") if earlier.may_phone else ""
    sending = replace(sending, said=said, how=given.how, language=given.language, phone=phone)
    sent = send_case(draft=draft, sending=sending, by=by)
    Consent.objects.filter(consultation=sent).update(
        version=given.version, given_at=given.given_at, given_by=given.given_by
    )
    return sent


@transaction.atomic
def move_case(
    *, consultation: Consultation, clinic: Clinic, because: str, by: User
) -> Consultation:
    """A waiting case to another linked clinic, the place there by a new token.

    Raises NotReady, NoToken; MoveRefused when a doctor has begun or is calling.
    """
    earlier = _locked_token(consultation)
    locked, measured = _locked(consultation, clinic)
    if locked.state != Consultation.State.REQUESTED or clinic.pk == locked.clinic_id:
        raise MoveRefused("The case does not wait.")
    if locked.token_id != (earlier and earlier.pk):
        raise MoveRefused("A colleague has just moved it.")
    said = Attested(consent_given=True, patient_is_present=True)  # when it was sent
    sending = Sending(clinic, proposed=locked.clinic, said=said, because=because)
    in_the_way = obstacles(locked, clinic, said, measured) + _wrong_choice(locked, sending)
    if in_the_way:
        raise NotReady(in_the_way)
    locked.token = (
        queues.move_token(token=earlier, clinic=clinic, priority=priority_of(locked))
        if earlier
        else queues.put_in_line(_place_for(locked, clinic, by))
    )
    locked.clinic, locked.chosen_because, locked.is_written = clinic, because, False
    locked.save(update_fields=["token", "clinic", "chosen_because", "is_written"])
    record("consultation.move", locked, by=by, patient=locked.patient)
    broadcast.consultation_changed(locked)
    return locked


@transaction.atomic
def ask_in_writing(*, consultation: Consultation, by: User) -> Consultation:
    """A waiting case gives its place up and is answered in writing. Raises MoveRefused as move_case."""
    token = _locked_token(consultation)
    locked, _measured = _locked(consultation, consultation.clinic)
    if not locked.facility_id or token is None or token.state != Token.State.WAITING:
        raise MoveRefused("The case does not wait in a line.")
    queues.leave_line(token=token)
    locked.token, locked.is_written = None, True
    locked.save(update_fields=["token", "is_written"])
    record("consultation.in_writing", locked, by=by, patient=locked.patient)
    broadcast.consultation_changed(locked)
    broadcast.written_changed(locked)
    return locked
