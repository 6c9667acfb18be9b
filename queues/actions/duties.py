"""A doctor on duty: begun, paused, ended."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Doctor
from queues import broadcast
from queues.models import Clinic, Duty, Token


class NotVerified(Exception):
    """The doctor's registration has not been verified (TPG 2020, 3.2: never online before)."""


@transaction.atomic
def start_duty(*, doctor: Doctor, clinic: Clinic) -> Duty:
    """Put the doctor on duty in `clinic`; twice is once. Raises NotVerified."""
    if not doctor.is_verified:
        raise NotVerified
    duty, _created = Duty.objects.get_or_create(doctor=doctor, clinic=clinic, ended_at=None)
    broadcast.line_changed(clinic.pk)
    return duty


def pause_duty(*, doctor: Doctor) -> None:
    """Call nobody for a while, in any clinic; the lines are kept."""
    _change(doctor, paused_at=timezone.now())


def resume_duty(*, doctor: Doctor) -> None:
    _change(doctor, paused_at=None)


def end_duty(*, doctor: Doctor) -> list[tuple[Clinic, int]]:
    """Go off duty everywhere. A patient who was called or is in the room stays the doctor's.

    Returns the clinics left without a doctor in which people wait, with their number: the waiting
    pages say so, and a health centre sends its patients elsewhere.
    """
    mine = Duty.objects.on().filter(doctor=doctor).values_list("clinic", flat=True)
    clinics = list(Clinic.objects.filter(pk__in=mine))
    _change(doctor, ended_at=timezone.now())
    staffed = set(
        Duty.objects.working().filter(clinic__in=clinics).values_list("clinic", flat=True)
    )
    left = [clinic for clinic in clinics if clinic.pk not in staffed]
    counted = ((clinic, Token.objects.in_line(clinic).count()) for clinic in left)
    return [(clinic, waiting) for clinic, waiting in counted if waiting]


@transaction.atomic
def _change(doctor: Doctor, **fields: object) -> None:
    duties = Duty.objects.on().filter(doctor=doctor)
    for clinic_id in list(duties.values_list("clinic_id", flat=True)):
        broadcast.line_changed(clinic_id)
    duties.update(**fields)
