"""One clinic's line as it stands: read in a fixed number of queries, whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import (
    BigAutoField,
    Count,
    DateTimeField,
    Exists,
    OuterRef,
    QuerySet,
)
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Patient
from esanjeevani.sql.composed import Columns, together
from esanjeevani.today import midnight, today
from queues.counts import Counts, count
from queues.door import Look, look
from queues.models import PRIORITY_RUN, Clinic, Duty, Token
from queues.pace import paces
from queues.wait import Pace, Turn, Wait, ahead_on_arrival, expected_wait, order_of_calls

# Asked whenever anything moves in a line, so they are composed once.
IN_LINE = Columns(
    lambda clinic: (
        Token.objects.in_line(clinic)
        .order_by("priority", "day", "number")
        .values_list("pk", "priority", "yields", "comes_first")
    ),
    clinic=BigAutoField(),
)
LAST_CALLS = Columns(
    lambda clinic, midnight: (
        Token.objects.filter(clinic=clinic, called_at__gte=midnight)
        .exclude(priority=Token.Priority.EMERGENCY)
        .exclude(comes_first=True)
        .order_by("-called_at")
        .values_list("priority")[:PRIORITY_RUN]
    ),
    clinic=BigAutoField(),
    midnight=DateTimeField(),
)
ON_DUTY = Columns(
    lambda clinic: _per_clinic(Duty.objects.working().filter(clinic=clinic)),
    clinic=BigAutoField(),
)


_TAKE_TURNS = {Token.Priority.PRIORITY, Token.Priority.ORDINARY}


@dataclass(frozen=True)
class Line:
    """Who waits in which order for how many doctors."""

    order: list[int]  # token ids
    doctors: int
    busy: int
    pace: Pace

    def ahead_of(self, token_id: int) -> int | None:
        return self.places.get(token_id)

    @cached_property
    def places(self) -> dict[int, int]:
        return {token_id: ahead for ahead, token_id in enumerate(self.order)}

    def wait(self, ahead: int) -> Wait | None:
        return expected_wait(ahead=ahead, doctors=self.doctors, busy=self.busy, pace=self.pace)


def read_line(
    clinic: Clinic,
    patient: Patient | None = None,
    now: Counts | None = None,
    in_line: list[Any] | None = None,
) -> Line:
    """In 2 queries; one more each when the pace is not fresh, and when some have priority and some not.

    With `patient`, of the doctors who may meet them. `now` is how the clinic stands and `in_line` who
    waits (IN_LINE), where that is known.
    """
    if now is None and patient is None:
        on_duty = {pk: (all_, busy) for pk, all_, busy in ON_DUTY.columns(clinic=clinic.pk)}
        doctors, busy = on_duty.get(clinic.pk, (0, 0))
    else:
        now = now or count([clinic.pk], patient)[clinic.pk]
        doctors, busy = now.doctors, now.busy
    return Line(turns(clinic, in_line), doctors, busy, paces([clinic])[clinic.pk])


def turns(clinic: Clinic, in_line: Any = None) -> list[int]:
    """The waiting tokens' ids in the order in which they will be called. In 1 or 2 queries."""
    if in_line is None:
        in_line = IN_LINE.columns(clinic=clinic.pk)
    waiting = [turn[:3] for turn in in_line if not turn[3]]
    # The last calls decide only between those with priority and those in order.
    is_mixed = {rank for _who, rank, _yields in waiting} >= _TAKE_TURNS
    run = priority_run(clinic) if is_mixed else 0
    return order_of_calls(waiting + _put_back(in_line), run=run, longest_run=PRIORITY_RUN)


def _put_back(turns: list[tuple[int, int, bool, bool]]) -> list[Turn]:
    """A patient put back is called like an emergency that came after the others."""
    return [(who, Token.Priority.EMERGENCY, False) for who, _rank, _yields, first in turns if first]


def priority_run(clinic: Clinic) -> int:
    """How many of the last calls in a row were priority ones.

    Emergencies and patients put back go first whatever the run is, and are not counted.
    """
    run = 0
    for (priority,) in LAST_CALLS.columns(clinic=clinic.pk, midnight=midnight()):
        if priority != Token.Priority.PRIORITY:
            break
        run += 1
    return run


def _per_clinic(working: QuerySet[Duty]) -> "QuerySet[Duty, tuple[int, int, int]]":
    """Clinic, doctors, and how many of them have a patient."""
    held = Token.objects.held().filter(doctor=OuterRef("doctor"))
    return (
        working.values("clinic_id")
        .annotate(
            doctors=Count("doctor"),
            busy=Count("doctor", filter=Exists(held)),
        )
        .values_list("clinic_id", "doctors", "busy")
    )


@dataclass(frozen=True)
class Standing:
    """What a patient is told of a clinic before anything is asked."""

    clinic: Clinic
    is_open: bool
    opens_at: datetime | None
    doctors: int
    waiting: int
    wait: Wait | None
    has_room: bool
    suits: bool
    # Up to which number its room goes. Part of no page: what is kept for a page holds while it moves on.
    last_number: int = field(compare=False)

    @property
    def opens_on(self) -> str:
        """The day of that, as people say it."""
        if self.opens_at is None:
            return ""
        is_today = self.opens_at.date() == today()
        return _("today") if is_today else date_format(self.opens_at, "l")

    @property
    def takes_patients(self) -> bool:
        return self.is_open and self.doctors > 0 and self.has_room and self.suits


def standings(
    clinics: list[Clinic],
    patient: Patient | None = None,
    counts: Mapping[int, Counts] | None = None,
) -> list[Standing]:
    """The standing of each clinic, the ones that take this patient now first, shortest wait first.

    One query for any number of clinics, none where `counts` are known, one more when a pace is not
    fresh (hours must be prefetched).
    """
    if counts is None:
        counts = count([clinic.pk for clinic in clinics], patient)
    learned = paces(clinics)
    all_of_them = [
        _standing(
            clinic,
            patient,
            waiting=counts[clinic.pk].waiting,
            ahead=counts[clinic.pk].waiting,
            on_duty=(counts[clinic.pk].doctors, counts[clinic.pk].busy),
            given=counts[clinic.pk].given,
            pace=learned[clinic.pk],
        )
        for clinic in clinics
    ]
    return sorted(all_of_them, key=_usefulness)


def door(clinic: Clinic, patient: Patient, priority: int, there: Look | None = None) -> Standing:
    """Whether one clinic takes one patient now: its standing.

    One query, one more when the pace is not fresh, for the moment when a token is taken; `there` is what
    was seen in that moment, where somebody looked already. The wait is that of this patient: whoever has
    priority waits for fewer.
    """
    if there is None:
        (there,) = together(look(clinic, patient))
    return _standing(
        clinic,
        patient,
        waiting=sum(there.waiting),
        ahead=ahead_on_arrival(there.waiting, priority, PRIORITY_RUN),
        on_duty=(there.doctors, there.busy),
        given=there.given,
        pace=paces([clinic])[clinic.pk],
        priority=priority,
        is_open=there.is_open,
    )


def _standing(
    clinic: Clinic,
    patient: Patient | None,
    *,
    waiting: int,
    ahead: int,
    on_duty: tuple[int, int],
    given: int,
    pace: Pace,
    priority: int = Token.Priority.ORDINARY,
    is_open: bool | None = None,
) -> Standing:
    doctors, busy = on_duty
    last_number = min(given + clinic.waiting_limit - waiting, clinic.daily_limit)
    is_open = clinic.is_active and (clinic.is_open() if is_open is None else is_open)
    return Standing(
        clinic=clinic,
        is_open=is_open,
        opens_at=None if is_open or not clinic.is_active else clinic.next_opening(),
        doctors=doctors,
        waiting=waiting,
        wait=expected_wait(ahead=ahead, doctors=doctors, busy=busy, pace=pace, priority=priority),
        has_room=given < last_number,
        suits=patient is None or clinic.serves_patient(patient),
        last_number=last_number,
    )


def _usefulness(standing: Standing) -> tuple[bool, bool, bool, int, str]:
    return (
        not standing.suits,
        not standing.takes_patients,
        not standing.is_open,
        standing.wait.high if standing.wait else 0,
        standing.clinic.name,
    )
