"""A draft held against the rules and the formulary, as it would be issued today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import prefetch_related_objects
from django.utils import timezone

from consult.models import Consultation, Drug, DrugRule, PrescriptionLine
from consult.models.formulary import name_key
from consult.rules.history import History, history_of
from consult.rules.lists import ListRule, Refusal, decide
from consult.rules.warnings import Medicine, Patient, Warned, warnings_for
from consult.rules.weight import weight_of


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
) -> Checked:
    """In a fixed number of queries, however many lines. `mode` is what happened, unless it is given."""
    today = day or timezone.localdate()
    history = history_of(
        consultation, mode=mode or consultation.mode, diagnosis=diagnosis, day=today
    )
    drugs = Drug.objects.named([line.generic for line in lines])
    known = list({drug.pk: drug for drug in drugs.values()}.values())
    prefetch_related_objects(known, "names", "dose_ranges")
    by_pk = {drug.pk: drug for drug in known}
    rules = rules_in_force(list(by_pk), today)
    refusals, allowed, medicines = [], {}, []
    for line in lines:
        drug = drugs.get(name_key(line.generic))
        decision = _decide(line, drug, rules, history, today)
        if isinstance(decision, Refusal):
            refusals.append(decision)
        elif drug:
            allowed[line.position] = Allowed(drug.generic, decision)
        if drug:
            medicines.append(Medicine(line.position, by_pk[drug.pk], line))
    warnings = warnings_for(medicines, _patient(consultation, today))
    return Checked(refusals, warnings, allowed, history)


def _decide(
    line: PrescriptionLine,
    drug: Drug | None,
    rules: dict[int, list[ListRule]],
    history: History,
    day: date,
) -> ListRule | Refusal:
    if drug is None:
        return Refusal("unknown", line.generic)
    if drug.is_withdrawn(day):
        return Refusal("withdrawn", drug.generic, source=drug.source)
    return decide(rules.get(drug.pk, []), history.circumstances_of(drug), drug.generic)


def rules_in_force(drug_ids: list[int], day: date) -> dict[int, list[ListRule]]:
    found: dict[int, list[ListRule]] = {}
    for rule in DrugRule.objects.in_force(day).filter(drug__in=drug_ids).order_by("pk"):
        found.setdefault(rule.drug_id, []).append(
            ListRule(
                list=rule.list,
                use=rule.use,
                video_only=rule.video_only,
                source=rule.source,
                note=rule.note,
                effective_from=rule.effective_from.isoformat(),
            )
        )
    return found


def _patient(consultation: Consultation, day: date) -> Patient:
    born = consultation.patient.birth_date
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    weight: Decimal | None = weight_of(consultation)
    return Patient(
        age_months=months,
        weight=weight,
        is_pregnant=consultation.is_pregnant,
        allergies=consultation.allergies,
        medicines=consultation.medicines,
    )
