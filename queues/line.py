"""One clinic's line as it stands: read in a fixed number of queries, whoever asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.core.cache import cache
from django.db.models import Avg, Count, Exists, ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.fields import DurationField
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Patient
from queues.door import look
from queues.models import PRIORITY_RUN, Clinic, ClinicDay, Duty, Token
from queues.wait import Turn, Wait, expected_wait, order_of_calls

LEARN_FROM = timedelta(days=2)
USUAL_COUNTS_AS = 5  # the clinic's usual minutes weigh as much as this many consultations


@dataclass(frozen=True)
class Line:
    """Who waits in which order for how many doctors."""

    order: list[int]  # token ids
    doctors: int
    busy: int
    seconds_each: float

    def ahead_of(self, token_id: int) -> int | None:
        return self.places.get(token_id)

    @cached_property
    def places(self) -> dict[int, int]:
        return {token_id: ahead for ahead, token_id in enumerate(self.order)}

    def wait(self, ahead: int) -> Wait | None:
        return expected_wait(
            ahead=ahead, doctors=self.doctors, busy=self.busy, seconds_each=self.seconds_each
        )


def read_line(clinic: Clinic) -> Line:
    """In 4 queries, 3 when the service time is fresh."""
    doctors, busy = _doctors_and_busy([clinic.pk]).get(clinic.pk, (0, 0))
    return Line(turns(clinic), doctors, busy, service_seconds([clinic])[clinic.pk])


def turns(clinic: Clinic) -> list[int]:
    """The waiting tokens' ids in the order in which they will be called. In 2 queries."""
    rows = Token.objects.in_line(clinic).order_by("priority", "day", "number")
    turns = list(rows.values_list("pk", "priority", "yields", "comes_first"))
    return order_of_calls(
        [turn[:3] for turn in turns if not turn[3]] + _put_back(turns),
        run=priority_run(clinic),
        longest_run=PRIORITY_RUN,
    )


def _put_back(turns: list[tuple[int, int, bool, bool]]) -> list[Turn]:
    """A patient put back is called like an emergency that came after the others."""
    return [(who, Token.Priority.EMERGENCY, False) for who, _rank, _yields, first in turns if first]


def priority_run(clinic: Clinic) -> int:
    """How many of the last calls in a row were priority ones.

    Emergencies and patients put back go first whatever the run is, and are not counted.
    """
    last = (
        Token.objects.filter(clinic=clinic, called_at__gte=_midnight())
        .exclude(priority=Token.Priority.EMERGENCY)
        .exclude(comes_first=True)
        .order_by("-called_at")
        .values_list("priority", flat=True)[:PRIORITY_RUN]
    )
    run = 0
    for priority in last:
        if priority != Token.Priority.PRIORITY:
            break
        run += 1
    return run


def _midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def service_seconds(clinics: Iterable[Clinic]) -> dict[int, float]:
    """Seconds a consultation takes in each clinic, learned from the last two days.

    Remembered for 30 s: an average does not change with every patient.
    """
    clinics = list(clinics)
    keys = {clinic.pk: f"service-seconds-{clinic.pk}" for clinic in clinics}
    known = cache.get_many(keys.values())
    missing = [clinic for clinic in clinics if keys[clinic.pk] not in known]
    if missing:
        fresh = _learned(missing)
        known |= {keys[pk]: seconds for pk, seconds in fresh.items()}
        cache.set_many({keys[pk]: seconds for pk, seconds in fresh.items()}, 30)
    return {clinic.pk: known[keys[clinic.pk]] for clinic in clinics}


def _learned(clinics: list[Clinic]) -> dict[int, float]:
    took = ExpressionWrapper(F("ended_at") - F("answered_at"), output_field=DurationField())
    rows = (
        Token.objects.filter(
            clinic__in=clinics,
            state=Token.State.DONE,
            day__gte=timezone.localdate() - LEARN_FROM,
            answered_at__isnull=False,
        )
        .values("clinic_id")
        .annotate(served=Count("pk"), mean=Avg(took))
        .values_list("clinic_id", "served", "mean")
    )
    found = {pk: (served, mean.total_seconds()) for pk, served, mean in rows}
    return {clinic.pk: _blend(clinic, *found.get(clinic.pk, (0, 0.0))) for clinic in clinics}


def _blend(clinic: Clinic, served: int, mean: float) -> float:
    usual = clinic.usual_minutes * 60 * USUAL_COUNTS_AS
    return (usual + served * mean) / (USUAL_COUNTS_AS + served)


def _doctors_and_busy(clinic_ids: list[int]) -> dict[int, tuple[int, int]]:
    """Per clinic: doctors on duty and not paused, and how many of them have a patient."""
    held = Token.objects.held().filter(doctor=OuterRef("doctor"))
    rows = (
        Duty.objects.working()
        .filter(clinic__in=clinic_ids)
        .values("clinic_id")
        .annotate(
            doctors=Count("doctor"),
            busy=Count("doctor", filter=Exists(held)),
        )
        .values_list("clinic_id", "doctors", "busy")
    )
    return {pk: (doctors, busy) for pk, doctors, busy in rows}


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

    @property
    def takes_patients(self) -> bool:
        return self.is_open and self.doctors > 0 and self.has_room and self.suits


def standings(clinics: list[Clinic], patient: Patient | None = None) -> list[Standing]:
    """The standing of each clinic, the ones that take this patient now first, shortest wait first.

    3 queries for any number of clinics (their hours must be prefetched).
    """
    ids = [clinic.pk for clinic in clinics]
    counts = _waiting_and_given(ids)
    on_duty = _doctors_and_busy(ids)
    seconds = service_seconds(clinics)
    all_of_them = [
        _standing(
            clinic,
            patient,
            waiting=counts[clinic.pk][0],
            on_duty=on_duty.get(clinic.pk, (0, 0)),
            given=counts[clinic.pk][1],
            seconds=seconds[clinic.pk],
        )
        for clinic in clinics
    ]
    return sorted(all_of_them, key=_usefulness)


def door(clinic: Clinic, patient: Patient) -> Standing:
    """Whether one clinic takes one patient now: its standing without the numbers given today.

    One query, one more when the service time is not fresh, for the moment when a token is taken.
    """
    there = look(clinic.pk)
    return _standing(
        clinic,
        patient,
        waiting=there.waiting,
        on_duty=(there.doctors, there.busy),
        given=0,
        seconds=service_seconds([clinic])[clinic.pk],
        is_open=there.is_open,
    )


def _standing(
    clinic: Clinic,
    patient: Patient | None,
    *,
    waiting: int,
    on_duty: tuple[int, int],
    given: int,
    seconds: float,
    is_open: bool | None = None,
) -> Standing:
    doctors, busy = on_duty
    is_open = clinic.is_active and (clinic.is_open() if is_open is None else is_open)
    return Standing(
        clinic=clinic,
        is_open=is_open,
        opens_at=None if is_open or not clinic.is_active else clinic.next_opening(),
        doctors=doctors,
        waiting=waiting,
        wait=expected_wait(ahead=waiting, doctors=doctors, busy=busy, seconds_each=seconds),
        has_room=waiting < clinic.waiting_limit and given < clinic.daily_limit,
        suits=patient is None or clinic.serves_patient(patient),
    )


def _usefulness(standing: Standing) -> tuple[bool, bool, bool, int, str]:
    return (
        not standing.suits,
        not standing.takes_patients,
        not standing.is_open,
        standing.wait.high if standing.wait else 0,
        standing.clinic.name,
    )


def _waiting_and_given(clinic_ids: list[int]) -> dict[int, tuple[int, int]]:
    """Per clinic: how many wait, and how many numbers were given today."""
    waiting = Token.objects.waiting().filter(clinic=OuterRef("pk")).order_by().values("clinic")
    today = ClinicDay.objects.filter(clinic=OuterRef("pk"), day=timezone.localdate())
    rows = Clinic.objects.filter(pk__in=clinic_ids).annotate(
        waiting=Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0),
        given=Coalesce(Subquery(today.values("last_number")), 0),
    )
    return {pk: (n, given) for pk, n, given in rows.values_list("pk", "waiting", "given")}
