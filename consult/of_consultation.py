"""What belongs to one consultation, as its pages and actions ask for it; each query is composed once."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db.models import BigAutoField, Exists, Model, OuterRef, Q, QuerySet
from django.db.models import FilteredRelation as Filtered

from consult.models import (
    Attachment,
    ChatMessage,
    Consultation,
    EmergencyReferral,
    FollowUp,
    FollowUpLink,
    Instruction,
    Note,
    Observation,
    Opinion,
    PaperPrescription,
    Prescription,
    PrescriptionLine,
    Referral,
)
from consult.models.consultations import ConsultationQuerySet
from esanjeevani.sql.composed import Composed, Question, together
from esanjeevani.sql.rows import insert
from queues.models import MoveRefused

Row = TypeVar("Row", bound=Model)


def _of(mine: "Callable[[Any], QuerySet[Row]]") -> Composed[Row]:
    return Composed(lambda consultation: mine(consultation), consultation=BigAutoField())


class Kind(Composed[Row]):
    """All of one kind that belongs to a consultation; that can be read with the word whether there is any."""

    def __init__(self, word: str, mine: "Callable[[Any], QuerySet[Row]]") -> None:
        super().__init__(lambda consultation: mine(consultation), consultation=BigAutoField())
        self.word, self._mine = word, mine

    def is_there(self) -> Exists:
        return Exists(self._mine(OuterRef("pk")))

    def may_be_there(self, consultation: Consultation) -> bool:
        """False where the consultation was read with the word that there is none."""
        return bool(getattr(consultation, self.word, True))

    def is_there_of(self, consultation: Consultation) -> bool:
        known = getattr(consultation, self.word, None)
        return bool(self.of(consultation) if known is None else known)

    def of(self, consultation: Consultation, with_it: Model | None = None) -> list[Row]:
        """Not asked for where it is known that there is none.

        `with_it` is a new row to insert, by the same statement if one is asked.
        """
        if self.may_be_there(consultation):
            return self.all(with_it, consultation=consultation.pk)
        if with_it is not None:
            insert(with_it)
        return []


def _prescription(consultation: Any, state: str) -> "QuerySet[Prescription]":
    return Prescription.objects.filter(consultation=consultation, state=state)[:1]


NOTE = _of(lambda one: Note.objects.filter(consultation=one))
DRAFT = Kind("has_draft", lambda one: _prescription(one, Prescription.State.DRAFT))
IN_FORCE = _of(lambda one: _prescription(one, Prescription.State.ISSUED))


def drafted_lines() -> "QuerySet[PrescriptionLine]":
    drafted = PrescriptionLine.objects.filter(prescription__state=Prescription.State.DRAFT)
    return drafted.select_related("prescription")


DRAFT_LINES = _of(lambda one: drafted_lines().filter(prescription__consultation=one))
EMERGENCY = _of(lambda one: EmergencyReferral.objects.filter(consultation=one))
FOLLOWED_UP = _of(lambda one: FollowUpLink.objects.filter(consultation=one).select_related("visit"))
PAPERS = _of(lambda one: PaperPrescription.objects.filter(consultation=one))
OBSERVATIONS = Kind("is_measured", lambda one: Observation.objects.filter(consultation=one))
ATTACHMENTS = Kind("has_files", lambda one: Attachment.objects.filter(consultation=one))
SENT_FILES = Kind(
    "has_sent_files", lambda one: Attachment.objects.filter(consultation=one, message=None)
)
MESSAGES = Kind(
    "has_messages",
    lambda one: ChatMessage.objects.filter(consultation=one).select_related("author", "attachment"),
)
INSTRUCTIONS = Kind(
    "is_instructed",
    lambda one: Instruction.objects.filter(consultation=one).select_related("done_by"),
)
LETTERS = Kind(
    "has_letters",
    lambda one: Referral.objects.filter(consultation=one).select_related(
        "facility", "issued_by__user"
    ),
)
OPINIONS = Kind(
    "has_opinions",
    lambda one: (
        Opinion.objects.filter(consultation=one)
        .select_related("clinic__speciality", "specialist__user")
        .order_by("-pk")
    ),
)
OPEN_OPINIONS = Kind(
    "is_asked",
    lambda one: Opinion.objects.filter(consultation=one, state__in=Opinion.OPEN).order_by("pk"),
)
LINES = Composed(
    lambda prescription: PrescriptionLine.objects.filter(prescription=prescription).select_related(
        "dispensing"
    ),
    prescription=BigAutoField(),
)
PRESCRIPTIONS = Kind(
    "is_prescribed", lambda one: Prescription.objects.filter(consultation=one).order_by("version")
)
FOLLOW_UPS = Kind("has_follow_ups", lambda one: FollowUp.objects.filter(consultation=one))
WENT_ON = _of(
    lambda one: Consultation.objects.filter(continues=one).sent().select_related("clinic")
)


def _locked(*beside: str) -> Composed[Consultation]:
    """With what stands `beside` it, which is not locked. Messages may be written meanwhile: they lock
    no more of a consultation than its key."""
    rows = Consultation.objects.select_for_update(of=("self",), no_key=True)
    return _of(lambda one: (rows.select_related(*beside) if beside else rows).filter(pk=one))


_LOCKED = _locked()
_LOCKED_WITH_NOTE = _locked("note")
_LOCKED_TO_ISSUE = _locked(
    "note", "emergency", "follow_up_link__visit", "clinic", "patient__account", "patient__state",
    "patient__district", "doctor__user", "doctor__facility",
)  # fmt: skip
TO_END = _of(
    lambda one: Consultation.objects.select_related("token", "note", "emergency").filter(pk=one)
)


def knowing(cases: ConsultationQuerySet, *kinds: Kind[Any]) -> ConsultationQuerySet:
    """Each with the word whether there is any of these kinds: mostly there is none."""
    return cases.annotate(**{kind.word: kind.is_there() for kind in kinds})


WHAT_IS_OPEN = _of(
    lambda one: knowing(Consultation.objects.filter(pk=one).only("pk"), DRAFT, OPEN_OPINIONS)
)


def with_prescription(cases: ConsultationQuerySet) -> ConsultationQuerySet:
    """Each with the prescription in force in the same row, for issued_of()."""
    issued = Q(prescriptions__state=Prescription.State.ISSUED)
    known = cases.annotate(in_force=Filtered("prescriptions", condition=issued))
    return known.select_related("in_force")  # type: ignore[misc]  # which is said a line above


def lock(consultation: Consultation) -> Consultation:
    """As it stands now, and nobody else's to change until the transaction ends.

    Raises Consultation.DoesNotExist.
    """
    return _there(_LOCKED.first(consultation=consultation.pk))


def lock_in_progress(consultation: Consultation) -> Consultation:
    """As lock(), with what the doctor noted.

    Raises MoveRefused when it is not in progress: afterwards nothing is edited.
    """
    found = _there(_LOCKED_WITH_NOTE.first(consultation=consultation.pk))
    if found.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    found.patient = consultation.patient
    return found


def lock_to_issue(consultation: Consultation, *others: Question) -> list[Any]:
    """As lock(), with all that a prescription says of people and places, the draft, the vital signs, and
    what the others find.

    All but the consultation is read once the lock is held: nobody changes what is issued.
    """
    own = consultation.pk
    locked, *found = together(
        _LOCKED_TO_ISSUE.asked(consultation=own),
        DRAFT_LINES.asked(consultation=own),
        OBSERVATIONS.asked(consultation=own),
        *others,
    )
    return [_there(next(iter(locked), None)), *found]


def _there(found: Consultation | None) -> Consultation:
    if found is None:
        raise Consultation.DoesNotExist
    return found


def issued_of(consultation: Consultation) -> Prescription | None:
    """The prescription in force; not asked for again where it was read with the consultation."""
    if hasattr(consultation, "in_force"):
        return cast(Prescription | None, consultation.in_force)
    return IN_FORCE.first(consultation=consultation.pk)


def note_of(consultation: Consultation) -> Note | None:
    """Not asked for again where it was read with the consultation."""
    if Consultation.note.is_cached(consultation):
        return getattr(consultation, "note", None)
    return NOTE.first(consultation=consultation.pk)


def drafted_of(consultation: Consultation) -> list[PrescriptionLine]:
    """The draft's lines; not asked for again where they were read with the consultation."""
    if hasattr(consultation, "drafted"):
        return cast(list[PrescriptionLine], consultation.drafted)
    return DRAFT_LINES.all(consultation=consultation.pk)


def follow_up_of(consultation: Consultation) -> FollowUpLink | None:
    """To which visit in person it is linked; not asked for again where that was read with it."""
    if Consultation.follow_up_link.is_cached(consultation):
        return getattr(consultation, "follow_up_link", None)
    return FOLLOWED_UP.first(consultation=consultation.pk)


def is_emergency_of(consultation: Consultation) -> bool:
    """Whether the doctor called it one, as read with the consultation."""
    return getattr(consultation, "emergency", None) is not None


def opinion_of(consultation: Consultation) -> Opinion | None:
    """The newest question to a specialist; None when nobody was asked."""
    return next(iter(OPINIONS.of(consultation)), None)


def letters_of(consultation: Consultation) -> list[Referral]:
    return LETTERS.of(consultation)


def chat_context(consultation: Consultation) -> dict[str, Any]:
    return {
        "chat": MESSAGES.of(consultation),
        "attachments": SENT_FILES.of(consultation),
    }
