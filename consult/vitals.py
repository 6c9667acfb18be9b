"""The vital signs that are kept: LOINC codes, UCUM units, and what values can and usually do occur.

Codes and units are those of the national guide (NRCeS, ndhm.in 6.5.0). Limits: `possible` is what a
living person can have and the instrument can show; beyond it the number is mistyped. `usual` is
where nobody needs to look twice; it warns, it does not judge. Sources: WHO Basic Emergency Care
(2018) for adults and children, the Indian Public Health Standards for glucose.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

Range = tuple[float, float]


@dataclass(frozen=True)
class Vital:
    """One kind of measurement. `usual_by_age` holds (years below which, low, high), then adults."""

    kind: str
    label: Any
    loinc: str
    unit: str  # UCUM
    shown_unit: str
    possible: Range
    usual_by_age: tuple[tuple[int, float, float], ...]
    decimals: int = 0

    @staticmethod
    def of(kind: str) -> "Vital":
        """Raises KeyError."""
        return _BY_KIND[kind]

    def usual(self, age: int) -> Range:
        for below, low, high in self.usual_by_age:
            if age < below:
                return (low, high)
        return self.possible

    def is_possible(self, value: Decimal | float) -> bool:
        low, high = self.possible
        return low <= value <= high

    def is_usual(self, value: Decimal | float, age: int) -> bool:
        low, high = self.usual(age)
        return low <= value <= high


def plain(value: Decimal) -> str:
    """Without a needless ".0"."""
    return f"{value:.0f}" if value % 1 == 0 else f"{value.normalize():f}"


ADULT = 200  # every age
VITALS = [
    Vital(
        "temperature", _("Temperature"), "61008-9", "Cel", "°C", (30, 45),
        ((ADULT, 35.5, 37.9),), decimals=1,
    ),
    Vital(
        "pulse", _("Pulse"), "8867-4", "/min", "/min", (20, 250),
        ((1, 100, 180), (5, 80, 140), (12, 70, 120), (ADULT, 55, 100)),
    ),
    Vital(
        "respiration", _("Breaths"), "9279-1", "/min", "/min", (4, 100),
        ((1, 25, 50), (5, 20, 40), (12, 15, 30), (ADULT, 10, 22)),
    ),
    Vital("spo2", _("Oxygen (SpO2)"), "2708-6", "%", "%", (40, 100), ((ADULT, 94, 100),)),
    Vital(
        "systolic", _("Blood pressure, upper"), "8480-6", "mm[Hg]", "mmHg", (50, 280),
        ((5, 70, 110), (12, 80, 120), (ADULT, 90, 139)),
    ),
    Vital(
        "diastolic", _("Blood pressure, lower"), "8462-4", "mm[Hg]", "mmHg", (20, 180),
        ((5, 35, 75), (12, 45, 80), (ADULT, 55, 89)),
    ),
    Vital("weight", _("Weight"), "29463-7", "kg", "kg", (0.5, 300), (), decimals=1),
    Vital("height", _("Height"), "8302-2", "cm", "cm", (25, 230), ()),
    Vital("glucose", _("Blood sugar"), "2339-0", "mg/dL", "mg/dL", (20, 800), ((ADULT, 70, 180),)),
]  # fmt: skip
BLOOD_PRESSURE_PANEL = "85354-9"
PRESSURE = ("systolic", "diastolic")
BODY_MASS_INDEX = "39156-5"

_BY_KIND = {vital.kind: vital for vital in VITALS}
KINDS = list(_BY_KIND)  # in the order in which the form asks for them
