"""The daily table of the national service: who was active, and how many were seen by each door."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q

from accounts.area import Area
from accounts.models import State
from consult.models import Consultation
from consult.quality.period import Period


@dataclass(frozen=True)
class MisRow:
    """One state: hubs, spokes, doctors and health workers (CHO) active on the day, and totals."""

    name: str
    hubs: int = 0
    spokes: int = 0
    doctors: int = 0
    health_workers: int = 0
    opd: int = 0
    hwc: int = 0

    @property
    def total(self) -> int:
        return self.opd + self.hwc


def mis_table(period: Period, area: Area) -> list[MisRow]:
    """The whole first, then the states by total. In 5 queries.

    Counts what was completed in the period, a case that was handed over only once. Hubs and doctors
    stand under the clinic's state, spokes and health workers under the health centre's. Who was
    active in two states is one person in the first row.
    """
    begin, end = period.moments
    seen = Consultation.objects.filter(
        state=Consultation.State.COMPLETED, ended_at__gte=begin, ended_at__lt=end
    ).exclude(end_reason=Consultation.EndReason.TRANSFERRED)
    at_clinics = seen.filter(area.clinics("clinic__")).order_by()
    at_centres = seen.filter(area.places("facility__"), facility__isnull=False).order_by()
    numbers: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for rows in (
        at_clinics.values(place=F("clinic__state")).annotate(**_of_hubs()),
        at_centres.values(place=F("facility__state")).annotate(**_of_spokes()),
    ):
        for row in rows:
            found: dict[str, Any] = dict(row)
            numbers[found.pop("place")] |= found
    states = [MisRow(row.name, **numbers[row.pk]) for row in State.objects.filter(pk__in=numbers)]
    whole = at_clinics.aggregate(**_of_hubs()) | at_centres.aggregate(**_of_spokes())
    first = MisRow("India" if area.everywhere else "Your area", **whole)
    return [first, *sorted(states, key=lambda row: (-row.total, row.name))]


def _of_hubs() -> dict[str, Any]:
    at_hub = Q(facility__isnull=False)
    return {
        "hubs": Count("clinic__facility", distinct=True, filter=at_hub),
        "doctors": Count("doctor", distinct=True),
        "opd": Count("pk", filter=Q(facility=None)),
    }


def _of_spokes() -> dict[str, Any]:
    return {
        "spokes": Count("facility", distinct=True),
        "health_workers": Count("requested_by", distinct=True),
        "hwc": Count("pk"),
    }
