"""What the rules read of the formulary; each query is composed once, for any number of medicines."""

from datetime import date

from django.db.models import BigAutoField, CharField, DateField, Q

from consult.models import DoseRange, Drug, DrugName, DrugRule, Interaction
from consult.models.formulary import name_key
from consult.rules.lists import ListRule
from esanjeevani.any_of import AnyOf

# Through the drug's own key, for a key of another table takes no slots.
BY_NAME = AnyOf(
    lambda keys: DrugName.objects.filter(key__in=keys).select_related("drug"),
    CharField(),
)
NAMES = AnyOf(lambda drugs: DrugName.objects.filter(drug__pk__in=drugs), BigAutoField())
DOSES = AnyOf(lambda drugs: DoseRange.objects.filter(drug__pk__in=drugs), BigAutoField())
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


def drugs_named(names: list[str]) -> dict[str, Drug]:
    """By the key of each name that is known: a generic's own, another or a former one."""
    keys = list({name_key(name) for name in names if name})
    found = {one.key: one.drug for one in BY_NAME.all(keys)}
    once = {drug.pk: drug for drug in found.values()}
    return {key: once[drug.pk] for key, drug in found.items()}


def rules_in_force(drug_ids: list[int], day: date) -> dict[int, list[ListRule]]:
    found: dict[int, list[ListRule]] = {}
    for rule in RULES.all(drug_ids, day=day):
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


def names_of(drug_ids: list[int]) -> dict[int, list[str]]:
    """Every name of each drug."""
    found: dict[int, list[str]] = {}
    for one in NAMES.all(drug_ids):
        found.setdefault(one.drug_id, []).append(one.name)
    return found


def doses_of(drug_ids: list[int]) -> dict[int, list[DoseRange]]:
    found: dict[int, list[DoseRange]] = {}
    for one in DOSES.all(drug_ids):
        found.setdefault(one.drug_id, []).append(one)
    return found
