"""A draft held against the rules and the formulary, as it would be issued today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from consult.models import Consultation, PrescriptionLine
from consult.models.formulary import name_key
from consult.rules.formulary import Known, known_on
from consult.rules.history import History
from consult.rules.lists import ListRule, Refusal, decide
from consult.rules.warnings import Medicine, Patient, Warned, warnings_for


@dataclass(frozen=True)
class Allowed:
    """One line that may be issued: the generic as the formulary calls it, and the rule that allows it."""

    generic: str
    rule: ListRule


@dataclass(frozen=True)
class Checked:
    refusals: list[Refusal]
    warnings: list[Warned]
    allowed: dict[int, Allowed]  # by position of the line
    history: History

    @property
    def consult_type(self) -> str:
        return "follow_up" if self.history.visit else "first"


def check(
    consultation: Consultation,
    lines: Sequence[PrescriptionLine],
    *,
    diagnosis: str,
    mode: str | None = None,
    day: date | None = None,
    formulary: dict[str, Known] | None = None,
) -> Checked:
    """In a fixed number of queries, however many lines. `mode` is what happened, unless it is given.

    `formulary` is what known_on() finds of these lines, where that was asked already.
    """
    today = day or timezone.localdate()
    history = History(
        consultation=consultation, mode=mode or consultation.mode, diagnosis=diagnosis, day=today
    )
    if formulary is None:
        formulary = known_on([line.generic for line in lines], today).ask()
    refusals, allowed, medicines = [], {}, []
    for line in lines:
        known = formulary.get(name_key(line.generic))
        decision = _decide(line, known, history, today)
        if isinstance(decision, Refusal):
            refusals.append(decision)
        elif known:
            allowed[line.position] = Allowed(known.drug.generic, decision)
        if known:
            doses = list(known.doses.values())
            medicines.append(Medicine(line.position, known.drug, line, doses))
    warnings = warnings_for(medicines, Patient(consultation, today))
    return Checked(refusals, warnings, allowed, history)


def _decide(
    line: PrescriptionLine, known: Known | None, history: History, day: date
) -> ListRule | Refusal:
    if known is None:
        return Refusal("unknown", line.generic)
    drug, rules = known.drug, list(known.rules.values())
    if drug.is_withdrawn(day):
        return Refusal("withdrawn", drug.generic, source=drug.source)
    return decide(rules, history.circumstances_of(drug, rules), drug.generic)
