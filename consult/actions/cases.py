"""A health centre's case until it is sent: written by several hands, lost by none."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import BigAutoField, Model
from django.utils import timezone

from accounts.actions import event, record
from accounts.models import Facility, Patient, User
from consult import broadcast
from consult.models import Attachment, Consultation, FollowUp, Observation
from consult.of_consultation import OBSERVATIONS
from consult.vitals import Vital
from esanjeevani.sql.composed import Composed
from esanjeevani.sql.rows import insert, insert_all
from esanjeevani.sql.steps import insert_with, update_with
from queues.assignment import linked_clinics
from queues.models import Clinic, MoveRefused

Vitals = dict[str, Decimal]
DRAFT_OF = Composed(
    lambda patient, facility: Consultation.objects.filter(
        patient=patient, facility=facility, state=Consultation.State.DRAFT
    ),
    patient=BigAutoField(),
    facility=BigAutoField(),
)


class ChangedMeanwhile(Exception):
    """Somebody else has saved other words since this page was loaded; `draft` has theirs."""

    def __init__(self, draft: Consultation) -> None:
        super().__init__(str(draft.revision))
        self.draft = draft


class NoHub(Exception):
    """The health centre is linked to no hub clinic today; an officer makes the links."""


def open_case(
    *,
    patient: Patient,
    facility: Facility,
    by: User,
    follow_up: FollowUp | None = None,
    linked: list[Clinic] | None = None,
) -> Consultation:
    """The draft of this patient at this health centre: the one that is there, or a new one.

    `linked` are the clinics that the centre may ask today, where they are known. Raises NoHub.
    """
    draft = None
    if getattr(patient, "has_cases", True):  # else it was read that there is none
        draft = DRAFT_OF.first(patient=patient.pk, facility=facility.pk)
    if draft is None:
        clinic = _first_clinic(linked_clinics(facility) if linked is None else linked)
        return _new_draft("case.open", patient, facility, by, clinic=clinic, follow_up_of=follow_up)
    opened = event("case.open", draft, by=by, patient=patient)
    if follow_up is None or draft.follow_up_of_id is not None:
        insert(opened)
        return draft
    draft.follow_up_of = follow_up
    still = {"state": Consultation.State.DRAFT, "follow_up_of": None}
    update_with(Consultation, draft.pk, {"follow_up_of": follow_up}, opened, **still)
    return draft


def _new_draft(
    action: str, patient: Patient, facility: Facility, by: User, **fields: Any
) -> Consultation:
    draft = Consultation(
        patient=patient,
        facility=facility,
        requested_by_id=by.pk,
        **fields,
    )
    if insert_with(draft, event(action, draft, by=by, patient=patient), unless_there=True):
        return draft
    # a colleague began it between our look and our insert
    there = Consultation.objects.get(
        patient=patient, facility=facility, state=Consultation.State.DRAFT
    )
    record(action, there, by=by, patient=patient)
    return there


def _first_clinic(linked: list[Clinic]) -> Clinic:
    """Of a general doctor, else of whoever is linked; where it goes is asked when it is sent.

    Raises NoHub.
    """
    if not linked:
        raise NoHub
    return min(linked, key=_generalists_first)


def _generalists_first(clinic: Clinic) -> tuple[bool, str, int]:
    speciality = clinic.speciality
    return not speciality.is_general, speciality.name, getattr(clinic, "link_priority", 1)


def save_case(
    *,
    draft: Consultation,
    by: User,
    revision: int,
    words: dict[str, Any],
    vitals: Vitals,
    sent_revision: int | None = None,
    new_revision: int | None = None,
) -> Consultation:
    """Keep what is typed. Raises ChangedMeanwhile, MoveRefused once it was sent.

    `revision` is that of the page: when somebody else saved after it, nothing is overwritten, unless
    both wrote the same. A page that does not wait for its answers says which `new_revision` a save makes,
    and with the next one that it was `sent_revision`: it is no other hand's. Nothing is locked: what was
    compared with the draft as it was read is written on that revision of it, or is compared anew with
    what stands there by then.
    """
    if draft.state != Consultation.State.DRAFT:
        raise MoveRefused("The case was sent already.")
    before, measured = draft.words(), OBSERVATIONS.of(draft)
    changed = {name: value for name, value in words.items() if before[name] != value}
    if not changed and _values(measured) == vitals:
        return draft
    if draft.revision not in (revision, sent_revision):
        raise ChangedMeanwhile(draft)
    later = changed | {"revision": new_revision or draft.revision + 1}
    if _write(draft, later, measured, vitals, by):
        return draft
    return save_case(
        draft=_as_it_is_now(draft), by=by, revision=revision, words=words, vitals=vitals,
        sent_revision=sent_revision, new_revision=new_revision,
    )  # fmt: skip


def _write(
    draft: Consultation, later: dict[str, Any], before: list[Observation], vitals: Vitals, by: User
) -> bool:
    """False when this revision of the draft is no more: every save makes another one.

    Of the vital signs what is unchanged keeps its time and its hand.
    """
    measured = _values(before)
    changed = {kind for kind in measured | vitals if measured.get(kind) != vitals.get(kind)}
    gone = [row.pk for row in before if row.kind in changed]
    beside = [
        *_observations(draft, {kind: vitals[kind] for kind in vitals if kind in changed}, by),
        event("case.save", draft, by=by, patient=draft.patient),
    ]
    if not gone:
        return _write_with(draft, later, *beside)
    with transaction.atomic():
        is_written = _write_with(draft, later, *beside)
        if is_written:
            draft.observations.filter(pk__in=gone).delete()
    return is_written


def _write_with(draft: Consultation, later: dict[str, Any], *beside: Model) -> bool:
    as_read = {"state": Consultation.State.DRAFT, "revision": draft.revision}
    if not update_with(Consultation, draft.pk, later, *beside, **as_read):
        return False
    for name, value in later.items():
        setattr(draft, name, value)
    return True


def _as_it_is_now(draft: Consultation) -> Consultation:
    """Raises DoesNotExist."""
    now = Consultation.objects.get(pk=draft.pk)
    now.patient, now.facility = draft.patient, draft.facility
    return now


def vitals_of(consultation: Consultation) -> Vitals:
    """The newest value of each kind."""
    return _values(OBSERVATIONS.of(consultation))


def _values(measured: list[Observation]) -> Vitals:
    return {row.kind: row.value for row in measured}


def _observations(consultation: Consultation, vitals: Vitals, by: User) -> list[Observation]:
    now = timezone.now()
    return [
        Observation(
            consultation_id=consultation.pk,
            patient_id=consultation.patient_id,
            kind=kind,
            value=value,
            loinc=Vital.of(kind).loinc,
            unit=Vital.of(kind).unit,
            taken_at=now,
            taken_by_id=by.pk,
        )
        for kind, value in vitals.items()
    ]


@transaction.atomic
def measure_again(*, consultation: Consultation, vitals: Vitals, by: User) -> None:
    """Vital signs taken after the case was sent; the earlier ones stay. Raises MoveRefused at the end."""
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not locked.is_open:
        raise MoveRefused("The consultation has ended.")
    insert_all(_observations(locked, vitals, by))
    record("vitals.add", consultation, by=by, patient=consultation.patient)
    broadcast.instruction_changed(locked)


@transaction.atomic
def reopen_case(*, earlier: Consultation, by: User) -> Consultation:
    """A new draft with everything of a case that came back, to mend it and send it again.

    Raises MoveRefused while the earlier one is open. A draft that is there already is not touched.
    """
    locked = Consultation.objects.select_for_update().get(pk=earlier.pk)
    if not locked.is_over or locked.facility is None:
        raise MoveRefused("The case has not come back.")
    there = Consultation.objects.filter(
        patient=locked.patient, facility=locked.facility, state=Consultation.State.DRAFT
    ).first()
    if there is not None:
        return there
    draft = _new_draft(
        "case.reopen",
        locked.patient,
        locked.facility,
        by,
        clinic=_first_clinic(linked_clinics(locked.facility)),
        continues=locked,
        follow_up_of=locked.follow_up_of,
        **locked.words(),
    )
    copy_findings(locked, draft)
    return draft


def copy_findings(earlier: Consultation, later: Consultation) -> None:
    """Vital signs and files of one case for another: each consultation is whole in itself."""
    if later.observations.exists() or later.attachments.exists():
        return
    Observation.objects.bulk_create(
        Observation(
            consultation=later,
            patient_id=row.patient_id,
            kind=row.kind,
            value=row.value,
            loinc=row.loinc,
            unit=row.unit,
            taken_at=row.taken_at,
            taken_by_id=row.taken_by_id,
            copy_of_id=row.copy_of_id or row.pk,
        )
        for row in earlier.observations.all()
    )
    Attachment.objects.bulk_create(
        Attachment(
            consultation=later,
            uploaded_by_id=file.uploaded_by_id,
            file=file.file.name,
            name=file.name,
            kind=file.kind,
            size=file.size,
        )
        for file in earlier.attachments.filter(message=None)
    )
