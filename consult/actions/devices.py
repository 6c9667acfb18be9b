from django.db import transaction

from accounts.actions import record
from accounts.models import MachineClient, User
from consult.actions.cases import Vitals, measure_again, save_case, vitals_of
from consult.models import Consultation


@transaction.atomic
def measured_by_device(
    *, consultation: Consultation, vitals: Vitals, client: MachineClient, by: User
) -> None:
    """Keep what a facility's device measured, in a draft or in a case on its way.

    Raises MoveRefused at the end. `by` answers for the device.
    """
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if locked.state == Consultation.State.DRAFT:
        together = vitals_of(locked) | vitals
        save_case(draft=locked, by=by, revision=locked.revision, words={}, vitals=together)
    else:
        measure_again(consultation=locked, vitals=vitals, by=by)
    record("client.vitals", f"client:{client.uid}", by=by, patient=consultation.patient)
