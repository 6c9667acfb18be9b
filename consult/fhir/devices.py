"""Vital signs as devices send them: FHIR Observations, read with care."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from consult.fhir.codes import LOINC, UCUM
from consult.vitals import BLOOD_PRESSURE_PANEL, PRESSURE, VITALS, Vital

BY_LOINC = {vital.loinc: vital for vital in VITALS}
OLDEST = timedelta(days=1)  # what lay in a device for longer is not of this visit
AHEAD = timedelta(minutes=5)  # that a device's clock may be


class NotAVitalSign(Exception):
    """The Observation cannot be taken; `words` say why, `field` where."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field
        self.words = words


def vitals_of(observation: dict[str, Any]) -> tuple[UUID, dict[str, Decimal]]:
    """Whose vital signs, by kind. Raises NotAVitalSign.

    Only final values, in the unit of the national guide: nothing is converted by guess.
    """
    if observation.get("resourceType") != "Observation":
        raise NotAVitalSign("resourceType", _("An Observation is expected."))
    if observation.get("status") not in ("final", "amended", "corrected"):
        raise NotAVitalSign("status", _("Only final values are taken."))
    loinc = _loinc(observation, "code")
    parts = observation.get("component") if loinc == BLOOD_PRESSURE_PANEL else [observation]
    if not isinstance(parts, list) or not parts:
        raise NotAVitalSign("component", _("A blood pressure has two values."))
    vitals = dict(_value(part) for part in parts)
    if loinc == BLOOD_PRESSURE_PANEL and not vitals.keys() <= set(PRESSURE):
        raise NotAVitalSign("component", _("A blood pressure has two values."))
    return _patient(observation), vitals


def measured_at(observation: dict[str, Any]) -> datetime | None:
    """When the device measured it, if it says so. Raises NotAVitalSign."""
    typed = observation.get("effectiveDateTime", observation.get("effectiveInstant"))
    if typed is None:
        return None
    try:
        at = parse_datetime(typed) if isinstance(typed, str) else None
    except ValueError:
        at = None
    if at is None or timezone.is_naive(at):
        words = _("Write the time with its zone, as 2026-11-24T10:15:00+05:30.")
        raise NotAVitalSign("effectiveDateTime", words)
    if not -AHEAD <= timezone.now() - at <= OLDEST:
        words = _("Only what was measured within a day is taken.")
        raise NotAVitalSign("effectiveDateTime", words)
    return at


def _loinc(part: Any, field: str) -> str:
    codings = _in(_in(part, "code"), "coding")
    for coding in codings if isinstance(codings, list) else []:
        if _in(coding, "system") == LOINC and isinstance(_in(coding, "code"), str):
            return str(coding["code"])
    raise NotAVitalSign(field, _("A LOINC code is expected."))


def _in(part: Any, name: str) -> Any:
    return part.get(name) if isinstance(part, dict) else None


def _patient(observation: dict[str, Any]) -> UUID:
    pointer = _in(observation.get("subject"), "reference")
    try:
        return UUID(str(pointer).removeprefix("Patient/"))
    except ValueError:
        raise NotAVitalSign("subject", _("Whose is it? Patient/<id> is expected.")) from None


def _value(part: Any) -> tuple[str, Decimal]:
    vital = BY_LOINC.get(_loinc(part, "code"))
    if vital is None:
        raise NotAVitalSign("code", _("This is none of the vital signs that are kept here."))
    quantity = _in(part, "valueQuantity")
    if _in(quantity, "system") != UCUM or _in(quantity, "code") != vital.unit:
        words = _("The unit must be %(unit)s, by its UCUM code.") % {"unit": vital.unit}
        raise NotAVitalSign("valueQuantity", words)
    return vital.kind, _number(_in(quantity, "value"), vital)


def _number(typed: Any, vital: Vital) -> Decimal:
    try:
        value = Decimal(str(typed)) if not isinstance(typed, bool) else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or not vital.is_possible(value):
        low, high = vital.possible
        words = _("%(low)s to %(high)s %(unit)s is possible. Measure again.") % {
            "low": f"{low:g}", "high": f"{high:g}", "unit": vital.shown_unit,
        }  # fmt: skip
        raise NotAVitalSign("valueQuantity", words)
    return value.quantize(Decimal("0.1"))
