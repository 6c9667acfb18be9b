"""Finding a generic while its name is being typed."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigAutoField, Case, CharField, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from consult.models import Drug, DrugName, DrugRule, Product
from consult.models.formulary import name_key
from consult.rules.formulary import rules_in_force
from consult.rules.lists import ListRule
from esanjeevani.sql.any_of import AnyOf
from esanjeevani.sql.composed import Composed

SHOWN = 12
SHORTEST = 2
MOST_WORDS = 4


def _names(**typed: Any) -> QuerySet[DrugName]:
    """Those that hold every word; those that begin with the first one come first."""
    names = DrugName.objects.filter(drug__withdrawn_on=None).select_related("drug")
    for word in typed.values():
        names = names.filter(key__contains=word)
    begins = Case(When(key__startswith=typed["word_0"], then=Value(0)), default=Value(1))
    return names.order_by(begins, "key")[: SHOWN * 2]


# By how many words were typed.
NAMES = {
    words: Composed(_names, **{f"word_{number}": CharField() for number in range(words)})
    for words in range(1, MOST_WORDS + 1)
}
PRODUCTS = AnyOf(lambda drugs: Product.objects.filter(drug__pk__in=drugs), BigAutoField())


@dataclass(frozen=True)
class Found:
    """One way to write one generic, and what the rules say of it in a few words."""

    generic: str
    name: str  # the name that was found: another one than the generic, or the same
    product: Product | None
    rule: str


@dataclass(frozen=True)
class Search:
    """What was found. Of a whole one nothing was left out, not even another name of what was found."""

    rows: list[Found]
    is_whole: bool


def search_drugs(typed: str) -> Search:
    """At most SHOWN, those that begin with what was typed first. In 3 queries, for any formulary."""
    words = name_key(typed).split()[:MOST_WORDS]
    if not words or len(words[0]) < SHORTEST:
        return Search([], is_whole=True)
    names = NAMES[len(words)].all(**{f"word_{at}": word for at, word in enumerate(words)})
    found: dict[Drug, str] = {}
    for one in names:
        found.setdefault(one.drug, one.name)
    rows = _flat(dict(list(found.items())[:SHOWN])) if found else []
    return Search(rows[:SHOWN], is_whole=len(names) == len(found) <= SHOWN >= len(rows))


def _flat(found: dict[Drug, str]) -> list[Found]:
    ids = [drug.pk for drug in found]
    products: dict[int, list[Product | None]] = {}
    for product in PRODUCTS.all(ids):
        products.setdefault(product.drug_id, []).append(product)
    rules = rules_in_force(ids, timezone.localdate())
    return [
        Found(drug.generic, name, product, rule_in_short(rules.get(drug.pk, [])))
        for drug, name in found.items()
        for product in products.get(drug.pk, [None])
    ]


def rule_in_short(rules: list[ListRule]) -> str:
    """For example "List A: video, refill"."""
    lists = {rule.list for rule in rules}
    if not lists:
        return _("not classified")
    if DrugRule.List.PROHIBITED in lists:
        return _("prohibited")
    names = " + ".join(str(DrugRule.List(one).label) for one in sorted(lists, key="OAB".index))
    if DrugRule.List.O in lists:
        return names
    uses = {rule.use for rule in rules}
    ways = [
        words
        for use, words in [
            (DrugRule.Use.FIRST, _("video")),
            (DrugRule.Use.REFILL, _("refill")),
            (DrugRule.Use.ADD_ON, _("add-on at follow-up")),
        ]
        if use in uses
    ]
    return f"{names}: {', '.join(ways)}"
