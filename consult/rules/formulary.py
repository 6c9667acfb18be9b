"""What the rules read of the formulary; each query is composed once, for any number of medicines."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from django.db.models import BigAutoField, CharField, DateField, FilteredRelation, Q, QuerySet

from consult.models import DoseRange, Drug, DrugName, DrugRule, Interaction
from consult.models.formulary import name_key
from consult.rules.lists import ListRule
from esanjeevani.sql.any_of import AnyOf
from esanjeevani.sql.composed import Question

# Through the drug's own key, for a key of another table takes no slots.
BY_NAME = AnyOf(
    lambda keys: DrugName.objects.filter(key__in=keys).select_related("drug"),
    CharField(),
)


def _with_rules(keys: list[Any], day: Any) -> "QuerySet[DrugName, Any]":
    """A row for each name, with each rule in force and each usual dose of its drug."""
    ends = Q(drug__rules__effective_to=None) | Q(drug__rules__effective_to__gte=day)
    in_force = FilteredRelation(
        "drug__rules", condition=Q(drug__rules__effective_from__lte=day) & ends
    )
    doses: Any = FilteredRelation("drug__dose_ranges")  # the names are unknown to django-stubs
    names: Any = DrugName.objects.filter(key__in=keys).annotate(rule=in_force, dose=doses)
    names = names.select_related("drug", "rule", "dose")
    in_order = names.order_by("rule__pk", "dose__months_from", "dose__pk")
    return cast("QuerySet[DrugName, Any]", in_order)


WITH_RULES = AnyOf(_with_rules, CharField(), day=DateField())
NAMES = AnyOf(lambda drugs: DrugName.objects.filter(drug__pk__in=drugs), BigAutoField())
RULES = AnyOf(
    lambda drugs, day: DrugRule.objects.in_force(day).filter(drug__pk__in=drugs).order_by("pk"),
    BigAutoField(),
    day=DateField(),
)
INTERACTIONS = AnyOf(
    lambda drugs: (
        Interaction.objects.filter(Q(first__pk__in=drugs) | Q(second__pk__in=drugs))
        .select_related("first", "second")
        .order_by("pk")
    ),
    BigAutoField(),
)


@dataclass(frozen=True)
class Known:
    """A medicine of the formulary, with what decides about it on one day."""

    drug: Drug
    rules: dict[int, ListRule] = field(default_factory=dict)  # by key, as the doses
    doses: dict[int, DoseRange] = field(default_factory=dict)


def drugs_named(names: list[str]) -> dict[str, Drug]:
    """By the key of each name that is known: a generic's own, another or a former one."""
    keys = list({name_key(name) for name in names if name})
    found = {one.key: one.drug for one in BY_NAME.all(keys)}
    once = {drug.pk: drug for drug in found.values()}
    return {key: once[drug.pk] for key, drug in found.items()}


def known_on(names: Iterable[str], day: date) -> Question:
    """What is known of medicines: a dict by the key of each name that is."""
    asked = WITH_RULES.asked({name_key(name) for name in names} or {""}, day=day)
    return asked._replace(read=lambda rows: _by_key(asked.read(rows)))


def _by_key(names: list[Any]) -> dict[str, Known]:
    found: dict[str, Known] = {}
    by_drug: dict[int, Known] = {}
    for one in names:
        known = found[one.key] = by_drug.setdefault(one.drug_id, Known(one.drug))
        if rule := getattr(one, "rule", None):
            known.rules[rule.pk] = ListRule.of(rule)
        if dose := getattr(one, "dose", None):
            known.doses[dose.pk] = dose
    return found


def rules_in_force(drug_ids: list[int], day: date) -> dict[int, list[ListRule]]:
    found: dict[int, list[ListRule]] = {}
    for rule in RULES.all(drug_ids, day=day):
        found.setdefault(rule.drug_id, []).append(ListRule.of(rule))
    return found


def names_of(drug_ids: list[int]) -> dict[int, list[str]]:
    """Every name of each drug."""
    found: dict[int, list[str]] = {}
    for one in NAMES.all(drug_ids):
        found.setdefault(one.drug_id, []).append(one.name)
    return found
