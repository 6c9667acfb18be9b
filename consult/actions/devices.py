"""Vital signs that a health centre's devices measured."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import MachineClient, User
from consult.actions.cases import Vitals, measure_again, save_case, vitals_of
from consult.models import Consultation, Observation


@transaction.atomic
def measured_by_device(
    *,
    consultation: Consultation,
    vitals: Vitals,
    client: MachineClient,
    by: User,
    at: datetime | None = None,
) -> list[Observation]:
    """Keep what a facility's device measured, in a draft or in a case on its way; one row of each kind.

    Raises MoveRefused at the end. `by` answers for the device; `at` is when it measured, if it says so.
    """
    began = timezone.now()
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state == Consultation.State.DRAFT:
        together = vitals_of(locked) | vitals
        save_case(draft=locked, by=by, revision=locked.revision, words={}, vitals=together)
    else:
        measure_again(consultation=locked, vitals=vitals, by=by)
    kept = locked.observations.filter(kind__in=vitals)
    if at:
        kept.filter(taken_at__gte=began).update(taken_at=at)
    record("client.vitals", f"client:{client.uid}", by=by, patient=consultation.patient)
    return list({row.kind: row for row in kept.order_by("pk")}.values())
