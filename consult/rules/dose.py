"""Reading a dose: when how much is taken, how much that is in a day, how many tablets in all."""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from unicodedata import decimal as digit_of

from consult.models import PrescriptionLine

Form, Frequency = PrescriptionLine.Form, PrescriptionLine.Frequency
COUNTED = {Form.TABLET, Form.CAPSULE, Form.SACHET, Form.LOZENGE, Form.PESSARY}
HALVES = {"½": "1/2", "¼": "1/4", "¾": "3/4"}
NUMBER = r"\d+(?:\.\d+)?(?:/\d+)?|\d+ \d/\d"
PATTERN = re.compile(rf"(?:{NUMBER})(?: *- *(?:{NUMBER})){{2,3}}")
AMOUNT = re.compile(rf"({NUMBER}) *(\S*).*")
STRENGTH = re.compile(r"([\d.]+) ?(g|mg|mcg)(?:/([\d.]*) ?ml)?")
IN_MG = {"g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001")}
TABLET_WORDS = {"", "tab", "tabs", "tablet", "tablets", "cap", "caps", "capsule", "capsules"}
# Morning, noon, evening, night; for a frequency that is not written as 1-0-1.
WHEN = {
    Frequency.ONCE: (1, 0, 0, 0),
    Frequency.TWICE: (1, 0, 0, 1),
    Frequency.THRICE: (1, 1, 0, 1),
    Frequency.FOUR: (1, 1, 1, 1),
    Frequency.NIGHT: (0, 0, 0, 1),
}
TIMES = {1: Frequency.ONCE, 2: Frequency.TWICE, 3: Frequency.THRICE, 4: Frequency.FOUR}


@dataclass(frozen=True)
class Amount:
    """How much is taken at once."""

    number: Decimal
    unit: str  # as written: "", "ml", "tablet", "mg" …


def plain(text: str) -> str:
    """Halves as fractions, digits of any script as ours, no space around."""
    for sign, fraction in HALVES.items():
        text = re.sub(rf"(\d){sign}", rf"\1 {fraction}", text).replace(sign, fraction)
    return (
        "".join(str(digit_of(char)) if char.isdecimal() else char for char in text)
        .strip()
        .replace("–", "-")
    )


def number_of(text: str) -> Decimal:
    """Of "1", "1.5", "1/2" or "1 1/2". A division by nothing is nothing."""
    whole, _space, fraction = text.strip().rpartition(" ")
    top, _slash, bottom = fraction.partition("/")
    part = Decimal(top) / Decimal(bottom) if bottom and Decimal(bottom) else Decimal(top)
    return part + (Decimal(whole) if whole else 0)


def pattern_of(dose: str) -> tuple[Decimal, ...] | None:
    """Morning, noon, evening, night of "1-0-1" or "1-1-1-1"; None for any other words."""
    text = plain(dose)
    if not PATTERN.fullmatch(text):
        return None
    parts = [number_of(part) for part in text.split("-")]
    if not any(parts):
        return None
    return tuple(parts if len(parts) == 4 else [parts[0], parts[1], Decimal(0), parts[2]])


def frequency_of(dose: str) -> str | None:
    """How often "1-0-1" is."""
    pattern = pattern_of(dose)
    if pattern is None:
        return None
    if not any(pattern[:3]):
        return Frequency.NIGHT
    return TIMES[sum(1 for part in pattern if part)]


def amount_of(dose: str) -> Amount | None:
    found = AMOUNT.fullmatch(plain(dose))
    return Amount(number_of(found[1]), found[2].casefold().rstrip(".,")) if found else None


def times_of_day(dose: str, frequency: str) -> tuple[Decimal, ...] | None:
    """How much in the morning, at noon, in the evening, at night. None when nobody can say."""
    pattern = pattern_of(dose)
    if pattern:
        return pattern
    amount, when = amount_of(dose), WHEN.get(Frequency(frequency))
    if amount is None or when is None:
        return None
    return tuple(amount.number * share for share in when)


def unit_of(dose: str) -> str:
    """What is counted in the columns of the day: "ml" for "5 ml", nothing for tablets."""
    amount = None if pattern_of(dose) else amount_of(dose)
    return "" if amount is None or amount.unit in TABLET_WORDS else amount.unit


def quantity_of(form: str, dose: str, frequency: str, days: int) -> int | None:
    """How many tablets, capsules, sachets … to give; None for what is not counted."""
    if form not in COUNTED or unit_of(dose):
        return None
    a_day = times_of_day(dose, frequency)
    amount = amount_of(dose)
    if a_day is not None:
        count = sum(a_day) * days
    elif frequency == Frequency.STAT and amount:
        count = amount.number
    elif frequency == Frequency.WEEKLY and amount:
        count = amount.number * -(-days // 7)
    else:
        return None
    return min(int(Decimal(count).to_integral_value(ROUND_CEILING)), 9999)


def mg_a_day(strength: str, dose: str, frequency: str) -> Decimal | None:
    """How much a day, in mg. None where strength or dose cannot be read for certain."""
    units = _units_a_day(dose, frequency)
    found = STRENGTH.fullmatch(plain(strength))
    if units is None:
        return None
    unit = unit_of(dose)
    if unit in IN_MG:
        return units * IN_MG[unit]
    if not found:
        return None
    mg = number_of(found[1]) * IN_MG[found[2]]
    if found[3] is None:
        return units * mg if unit == "" else None
    return units * mg / Decimal(found[3] or 1) if unit == "ml" and found[3] != "0" else None


def _units_a_day(dose: str, frequency: str) -> Decimal | None:
    a_day = times_of_day(dose, frequency)
    if a_day is not None:
        return sum(a_day, Decimal(0))
    amount = amount_of(dose)
    return amount.number if amount and frequency == Frequency.STAT else None


def shown(number: Decimal) -> str:
    """As on paper: "1", "½", "1½", "2.5" ml."""
    whole, rest = divmod(number, 1)
    fraction = {Decimal("0.5"): "½", Decimal("0.25"): "¼", Decimal("0.75"): "¾"}.get(rest)
    if fraction:
        return f"{whole or ''}{fraction}"
    return f"{number.quantize(Decimal('0.01')).normalize():f}"
