"""A health centre's case until it is sent: written by several hands, lost by none."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import BigAutoField
from django.utils import timezone

from accounts.actions import record
from accounts.models import Facility, Patient, User
from consult import broadcast
from consult.models import Attachment, Consultation, FollowUp, Observation
from consult.of_consultation import OBSERVATIONS
from consult.vitals import Vital
from esanjeevani.composed import Composed
from esanjeevani.rows import insert_all, insert_unless_there, update
from queues.assignment import choose, linked_clinics
from queues.models import Clinic, MoveRefused

Vitals = dict[str, Decimal]
DRAFT_OF = Composed(
    lambda patient, facility: Consultation.objects.select_for_update().filter(
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


@transaction.atomic
def open_case(
    *, patient: Patient, facility: Facility, by: User, follow_up: FollowUp | None = None
) -> Consultation:
    """The draft of this patient at this health centre: the one that is there, or a new one.

    Raises NoHub.
    """
    draft = None
    if getattr(patient, "has_cases", True):  # else it was read that there is none
        draft = DRAFT_OF.first(patient=patient.pk, facility=facility.pk)
    if draft is None:
        draft = _new_draft(patient, facility, by, follow_up_of=follow_up)
    elif follow_up is not None and draft.follow_up_of_id is None:
        draft.follow_up_of = follow_up
        draft.save(update_fields=["follow_up_of"])
    record("case.open", draft, by=by, patient=patient)
    return draft


def _new_draft(patient: Patient, facility: Facility, by: User, **fields: Any) -> Consultation:
    draft = Consultation(
        patient=patient,
        facility=facility,
        requested_by_id=by.pk,
        clinic=_first_clinic(facility, patient),
        **fields,
    )
    if insert_unless_there(draft):
        return draft
    # a colleague began it between our look and our insert
    return Consultation.objects.get(
        patient=patient, facility=facility, state=Consultation.State.DRAFT
    )


def _first_clinic(facility: Facility, patient: Patient) -> Clinic:
    """What is proposed before anything is known: a general doctor, else whoever is linked. Raises NoHub."""
    clinics = linked_clinics(facility)
    if not clinics:
        raise NoHub
    specialities = {clinic.speciality for clinic in clinics}
    first = min(specialities, key=lambda one: (not one.is_general, one.name))
    there = [clinic for clinic in clinics if clinic.speciality == first]
    choice = choose(spoke=facility, speciality=first, patient=patient, on=there)
    return choice.everywhere[0].clinic


def save_case(
    *, draft: Consultation, by: User, revision: int, words: dict[str, Any], vitals: Vitals
) -> Consultation:
    """Keep what is typed. Raises ChangedMeanwhile, MoveRefused once it was sent.

    `revision` is that of the page: when somebody else saved after it, nothing is overwritten, unless
    both wrote the same. Nothing is locked: what was compared with the draft as it was read is written
    on that revision of it, or is compared anew with what stands there by then.
    """
    if draft.state != Consultation.State.DRAFT:
        raise MoveRefused("The case was sent already.")
    before, measured = draft.words(), vitals_of(draft)
    changed = {name: value for name, value in words.items() if before[name] != value}
    if not changed and measured == vitals:
        return draft
    if draft.revision != revision:
        raise ChangedMeanwhile(draft)
    if _write(draft, changed, measured, vitals, by):
        return draft
    now = _as_it_is_now(draft)
    return save_case(draft=now, by=by, revision=revision, words=words, vitals=vitals)


@transaction.atomic
def _write(
    draft: Consultation, changed: dict[str, Any], before: Vitals, vitals: Vitals, by: User
) -> bool:
    """False when this revision of the draft is no more: every save makes another one."""
    later = changed | {"revision": draft.revision + 1}
    as_read = {"state": Consultation.State.DRAFT, "revision": draft.revision}
    if not update(Consultation, draft.pk, later, **as_read):
        return False
    for name, value in later.items():
        setattr(draft, name, value)
    _replace_vitals(draft, before, vitals, by)
    record("case.save", draft, by=by, patient=draft.patient)
    return True


def _as_it_is_now(draft: Consultation) -> Consultation:
    """Raises DoesNotExist."""
    now = Consultation.objects.get(pk=draft.pk)
    now.patient, now.facility = draft.patient, draft.facility
    return now


def vitals_of(consultation: Consultation) -> Vitals:
    """The newest value of each kind."""
    return {row.kind: row.value for row in OBSERVATIONS.of(consultation)}


def _replace_vitals(draft: Consultation, before: Vitals, vitals: Vitals, by: User) -> None:
    """What is unchanged keeps its time and its hand."""
    changed = {kind for kind in before | vitals if before.get(kind) != vitals.get(kind)}
    if gone := changed & before.keys():
        draft.observations.filter(kind__in=gone).delete()
    _measure(draft, {kind: vitals[kind] for kind in vitals if kind in changed}, by)


def _measure(consultation: Consultation, vitals: Vitals, by: User) -> None:
    now = timezone.now()
    rows = [
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
    insert_all(rows)


@transaction.atomic
def measure_again(*, consultation: Consultation, vitals: Vitals, by: User) -> None:
    """Vital signs taken after the case was sent; the earlier ones stay. Raises MoveRefused at the end."""
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not locked.is_open:
        raise MoveRefused("The consultation has ended.")
    _measure(locked, vitals, by)
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
        locked.patient,
        locked.facility,
        by,
        continues=locked,
        follow_up_of=locked.follow_up_of,
        **locked.words(),
    )
    copy_findings(locked, draft)
    record("case.reopen", draft, by=by, patient=locked.patient)
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
