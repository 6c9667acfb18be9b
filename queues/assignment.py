"""Which hub clinic a health centre's patient goes to: of the linked ones, where it is soonest.

The health worker says which speciality; nobody has to know which hub is free. Links are many to
many, and a facility may be hub and spoke at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigAutoField,
    DateField,
    Exists,
    OuterRef,
    QuerySet,
    SmallIntegerField,
    TimeField,
)
from django.utils import timezone

from accounts.models import Facility, Patient, Speciality
from esanjeevani.sql.composed import Composed, Question, together
from queues.counts import Counts
from queues.line import Standing, standings
from queues.models import Clinic, ClinicHours, HubLink


@dataclass(frozen=True)
class Choice:
    """What the health worker is shown: the clinic proposed, and the others in the same order."""

    proposed: Standing | None
    others: list[Standing]

    @property
    def everywhere(self) -> list[Standing]:
        return [self.proposed, *self.others] if self.proposed else self.others

    @property
    def next_opening(self) -> Standing | None:
        """Where nobody takes the patient now: the clinic that opens first."""
        closed = [one for one in self.others if one.suits and one.opens_at]
        return min(closed, key=lambda one: one.opens_at or timezone.now(), default=None)


def _open_hours(weekday: Any, time_of_day: Any) -> "QuerySet[ClinicHours]":
    return ClinicHours.objects.covering(weekday, time_of_day).filter(clinic=OuterRef("clinic"))


# Asked by most pages of a health centre, composed once.
LINKS = Composed(
    lambda spoke, today, weekday, time_of_day: (
        HubLink.objects.in_force(today)
        .filter(spoke=spoke)
        .select_related("clinic__speciality", "clinic__facility", "clinic__district")
        .annotate(is_open=Exists(_open_hours(weekday, time_of_day)))
        .order_by("clinic__name", "clinic")
    ),
    spoke=BigAutoField(),
    today=DateField(),
    weekday=SmallIntegerField(),
    time_of_day=TimeField(),
)
HOURS = Composed(
    lambda spoke, today: ClinicHours.objects.filter(
        clinic__in=HubLink.objects.in_force(today).filter(spoke=spoke).values("clinic")
    ),
    spoke=BigAutoField(),
    today=DateField(),
)


def linked_clinics(spoke: Facility, speciality: Speciality | None = None) -> list[Clinic]:
    """The hub clinics that may be asked today, with the link's priority.

    In one query, one more when a clinic is closed: when it opens again is asked for then.
    """
    (clinics,) = together(links_of(spoke.pk))
    return [one for one in clinics if speciality is None or one.speciality_id == speciality.pk]


def links_of(spoke: int) -> Question:
    """linked_clinics() of a health centre's key, to be asked together with others."""
    now = timezone.localtime()
    asked = {"spoke": spoke, "today": now.date()}
    time_of_day = now.time().replace(microsecond=0)
    links = LINKS.asked(**asked, weekday=now.weekday(), time_of_day=time_of_day)
    return Question(links.text, lambda found: _clinics(links.read(found), asked))


def _clinics(links: list[HubLink], asked: dict[str, Any]) -> list[Clinic]:
    for link in links:
        link.clinic.link_priority = link.priority  # type: ignore[attr-defined]
        link.clinic.open_when_read = bool(link.is_open)  # type: ignore[attr-defined]
    clinics = [link.clinic for link in links]
    if not all(clinic.open_when_read for clinic in clinics):
        _give_hours(clinics, HOURS.all(**asked))
    return clinics


def _give_hours(clinics: list[Clinic], all_hours: list[ClinicHours]) -> None:
    hours: dict[int, list[ClinicHours]] = defaultdict(list)
    for one in all_hours:
        hours[one.clinic_id].append(one)
    for clinic in clinics:
        clinic.opening_hours = hours[clinic.pk]


def choose(
    *,
    spoke: Facility,
    speciality: Speciality,
    patient: Patient,
    on: Iterable[Clinic] | None = None,
    counts: Mapping[int, Counts] | None = None,
) -> Choice:
    """The linked clinic that takes the patient now with the least expected wait.

    At most 4 queries for any number of clinics and waiting patients. Of two with the same wait, the
    one whose link has the lower priority number; then by name, so that two people see the same.
    """
    clinics = linked_clinics(spoke, speciality) if on is None else list(on)
    ordered = sorted(standings(clinics, patient, counts), key=_soonest)
    if ordered and ordered[0].takes_patients:
        return Choice(ordered[0], ordered[1:])
    return Choice(None, ordered)


def _soonest(standing: Standing) -> tuple[bool, int, int, str]:
    return (
        not standing.takes_patients,
        standing.wait.high if standing.wait else 0,
        getattr(standing.clinic, "link_priority", 1),
        standing.clinic.name,
    )
