"""What the doctor is warned of, and may override with a reason. It helps to look, it never decides."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import combinations
from typing import Protocol

from django.utils.translation import gettext as _

from consult.models import Consultation, DoseRange, Drug
from consult.models.formulary import name_key
from consult.rules.dose import mg_a_day
from consult.rules.formulary import INTERACTIONS, names_of
from consult.rules.weight import weight_of

# Words that say "no allergy", in the site's languages.
NO_ALLERGY = {"no", "none", "nil", "nka", "nkda", "not", "known", "नहीं", "कोई", "ना", "है"}
SHORTEST_WORD = 4


@dataclass(frozen=True)
class Warned:
    """One warning. `key` is the same as long as what is warned of is the same."""

    key: str
    words: str


class Written(Protocol):
    """A medicine as it stands in a draft."""

    strength: str
    dose: str
    frequency: str


@dataclass(frozen=True)
class Medicine:
    """A written medicine that the formulary knows."""

    position: int
    drug: Drug
    written: Written
    doses: list[DoseRange]  # that are usual, by age


class Patient:
    """What warnings depend on, in one consultation on one day."""

    def __init__(self, consultation: Consultation, day: date) -> None:
        self._consultation, self._day = consultation, day
        self.is_pregnant: bool = consultation.is_pregnant
        self.allergies: str = consultation.allergies
        self.medicines: str = consultation.medicines

    @property
    def age_months(self) -> int:
        born, day = self._consultation.patient.birth_date, self._day
        return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)

    @cached_property
    def weight(self) -> Decimal | None:
        """In kg; None when it was not measured. Read when a dose goes by it."""
        return weight_of(self._consultation)


def warnings_for(medicines: list[Medicine], patient: Patient) -> list[Warned]:
    """In a query for each thing that there is to compare with."""
    found = _allergies(medicines, patient) + _twice(medicines)
    for medicine in medicines:
        found += _dose(medicine, patient)
        if patient.is_pregnant and medicine.drug.pregnancy:
            found.append(_pregnancy(medicine.drug))
    found += _interactions(medicines, patient)
    return list({warned.key: warned for warned in found}.values())


def _allergy(drug: Drug, told: str) -> Warned:
    words = _("Allergy told: %(told)s. %(medicine)s (%(class)s) may be it.")
    about = {"told": told, "medicine": drug.generic, "class": drug.drug_class or "–"}
    return Warned(f"allergy:{drug.pk}", words % about)


def _allergies(medicines: list[Medicine], patient: Patient) -> list[Warned]:
    words = [
        word for word in re.findall(r"\w+(?:[\u0900-\u0dff\u200d]+\w*)*", patient.allergies.casefold())
        if word not in NO_ALLERGY
    ]  # fmt: skip
    names = names_of(_drugs(medicines)) if words else {}
    found = []
    for medicine in medicines if words else []:
        drug = medicine.drug
        known = name_key(" ".join([drug.drug_class, *names.get(drug.pk, [])]))
        if any(_means(word, known) for word in words):
            found.append(_allergy(drug, patient.allergies))
    if any(not word.isascii() for word in words) and medicines and not found:
        told = {"told": patient.allergies}
        found.append(
            Warned(
                f"allergy_words:{name_key(patient.allergies)}"[:80],
                _("Allergy told in words that cannot be compared: %(told)s. Compare yourself.")
                % told,
            )
        )
    return found


def _drugs(medicines: list[Medicine]) -> list[int]:
    return list({medicine.drug.pk for medicine in medicines})


def _means(word: str, known: str) -> bool:
    """ "penicillins" means penicillin, "sulfa" a sulfonamide."""
    stem = word.rstrip("s").replace("sulpha", "sulfa")
    if len(stem) < SHORTEST_WORD:
        return False
    return stem in known or (stem.startswith("sulfa") and "sulfonamide" in known)


def _twice(medicines: list[Medicine]) -> list[Warned]:
    found = {}
    for one, other in combinations(medicines, 2):
        if one.drug == other.drug:
            found[f"twice:{one.drug.pk}"] = _("%(medicine)s is written twice.") % {
                "medicine": one.drug.generic
            }
        elif one.drug.drug_class and one.drug.drug_class == other.drug.drug_class:
            found[_pair_key("class", one.drug, other.drug)] = _(
                "%(one)s and %(other)s are of the same class: %(class)s."
            ) % {
                "one": one.drug.generic,
                "other": other.drug.generic,
                "class": one.drug.drug_class,
            }
    return [Warned(key, words) for key, words in found.items()]


def _pair_key(kind: str, one: Drug, other: Drug) -> str:
    low, high = sorted([one.pk, other.pk])
    return f"{kind}:{low}-{high}"


def _dose(medicine: Medicine, patient: Patient) -> list[Warned]:
    written = medicine.written
    mg = mg_a_day(written.strength, written.dose, written.frequency)
    if not medicine.doses or mg is None:
        return []
    key = f"dose:{medicine.drug.pk}:{mg.normalize():f}"
    name = medicine.drug.generic
    age = patient.age_months
    fitting = [one for one in medicine.doses if one.months_from <= age < one.months_to]
    if not fitting:
        return [Warned(key, _("%(medicine)s has no usual dose at this age.") % {"medicine": name})]
    usual = fitting[0]
    if usual.per_kg and patient.weight is None:
        words = _("%(medicine)s goes by body weight (%(usual)s a day), which was not measured.")
        return [Warned(key, words % {"medicine": name, "usual": usual})]
    by = (patient.weight or Decimal(1)) if usual.per_kg else Decimal(1)
    if usual.low * by <= mg <= usual.high * by:
        return []
    words = _("%(medicine)s: %(mg)s mg a day is outside the usual %(usual)s a day.")
    return [Warned(key, words % {"medicine": name, "mg": f"{mg.normalize():f}", "usual": usual})]


def _pregnancy(drug: Drug) -> Warned:
    if drug.pregnancy == Drug.Pregnancy.AVOID:
        words = _("%(medicine)s is not to be used in pregnancy.")
    else:
        words = _("%(medicine)s in pregnancy only when needed.")
    return Warned(f"pregnancy:{drug.pk}", words % {"medicine": drug.generic})


def _interactions(medicines: list[Medicine], patient: Patient) -> list[Warned]:
    """Between what is written, and with what the patient says to take already."""
    mine = set(_drugs(medicines))
    if len(mine) < 2 and not patient.medicines.strip():
        return []
    told = f" {name_key(patient.medicines)} "
    return [
        Warned(
            _pair_key("interaction", pair.first, pair.second),
            _("%(one)s with %(other)s: %(words)s.")
            % {"one": pair.first.generic, "other": pair.second.generic, "words": pair.words},
        )
        for pair in INTERACTIONS.all(list(mine))
        if {pair.first_id, pair.second_id} <= mine
        or any(
            name_key(drug.generic) in told
            for drug in (pair.first, pair.second)
            if drug.pk not in mine
        )
    ]
