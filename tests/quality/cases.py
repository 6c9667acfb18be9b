"""Consultations as figures count them, and the figures of one line."""

from datetime import date, datetime, time, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from accounts.area import Area
from consult.models import Consultation, Dispensing, FollowUp, Prescription, PrescriptionLine
from consult.quality import Period, figures_of
from queues.models import Token
from tests.factories import a_patient

numbers = count(1)
EVERYWHERE = Area(everywhere=True)
TODAY = timezone.localdate
R = Consultation.EndReason


def at(days_ago: int, hour: int = 10, minute: int = 0) -> datetime:
    day = TODAY() - timedelta(days=days_ago)
    return timezone.make_aware(datetime.combine(day, time(hour, minute)))


def a_case(land: SimpleNamespace, **fields: Any) -> Consultation:
    """Asked at the sub-centre today at ten, and completed, unless said otherwise."""
    asked_at = fields.pop("asked_at", at(0))
    fields = {
        "patient": a_patient(),
        "clinic": land.clinic,
        "doctor": land.doctor,
        "facility": land.spoke,
        "requested_by": land.worker,
        "attested_at": asked_at,
        "attested_by": land.worker,
        "complaint": "Fever and cough",
        "since": "days",
        "state": "completed",
        "created_at": asked_at,
        "requested_at": asked_at,
        "started_at": asked_at,
        "ended_at": asked_at,
    } | fields
    return Consultation.objects.create(**fields)


def waited(case: Consultation, minutes: float, told: int | None) -> Consultation:
    """The case had a token, and was called after so many minutes."""
    case.token = Token.objects.create(
        clinic=case.clinic, day=TODAY(), number=next(numbers), patient=case.patient, state="done",
        doctor=case.doctor, issued_at=case.requested_at,
        called_at=case.requested_at + timedelta(minutes=minutes),
        ended_at=case.requested_at + timedelta(minutes=minutes + 5), expected_high=told,
    )  # fmt: skip
    case.save(update_fields=["token"])
    return case


def a_task(case: Consultation, due_on: date, closed_at: datetime | None = None) -> FollowUp:
    return FollowUp.objects.create(
        consultation=case, patient=case.patient, facility=case.facility, due_on=due_on,
        created_at=case.ended_at, closed_at=closed_at, outcome="well" if closed_at else "",
        closed_by=case.requested_by if closed_at else None,
    )  # fmt: skip


def a_prescription(case: Consultation, *given: str) -> Prescription:
    """One line for each of what was given out; "" for a line that nobody has dispensed."""
    prescription = Prescription.objects.create(
        consultation=case, state="issued", number=f"RX-{case.pk}", issued_at=case.ended_at,
        issued_by=case.doctor, document={},
    )  # fmt: skip
    for position, what in enumerate(given, 1):
        line = PrescriptionLine.objects.create(
            prescription=prescription, position=position, generic="Zinc", form="tablet",
            strength="20 mg", dose="1", frequency="od", days=10,
        )  # fmt: skip
        if what:
            Dispensing.objects.create(
                line=line, given=what, facility=case.facility, dispensed_by=case.requested_by
            )
    return prescription


def of(by: str, name: str, *, days: int = 1, area: Area = EVERYWHERE) -> dict[str, Any]:
    """The numbers of one line that are not nothing."""
    table = figures_of(by, Period.of_days(days), area)
    row = {row.name: row for row in table.rows}[name]
    return {key: number for key, number in row.numbers.items() if number not in (0, None)}
