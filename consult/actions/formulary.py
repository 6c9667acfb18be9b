"""Changing the formulary: one person proposes, another approves."""

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts.actions import record
from accounts.models import User
from consult.formulary_csv import (
    BadRows,
    Row,
    check_rows,
    formulary_rows,
    read_csv,
    split,
    usual_doses,
    write_csv,
)
from consult.models import (
    DoseRange,
    Drug,
    DrugName,
    DrugRule,
    FormularyChange,
    Interaction,
    Product,
)
from consult.models.formulary import name_key
from queues.models import MoveRefused

STARTER = Path(__file__).parent.parent / "data" / "formulary.csv"


class SamePerson(Exception):
    """Who proposed a change may not decide on it."""


@transaction.atomic
def propose_change(*, title: str, rows: list[Row], by: User) -> FormularyChange:
    """Keep a change for somebody else to decide. Raises BadRows."""
    change = FormularyChange.objects.create(title=title, rows=check_rows(rows), proposed_by=by)
    record("formulary.propose", change, by=by)
    return change


@transaction.atomic
def approve_change(*, change: FormularyChange, by: User) -> FormularyChange:
    """Write the rows of a change into the formulary.

    Raises SamePerson; MoveRefused when it was decided before; BadRows when a generic that it names
    does not exist, or a new name is taken.
    """
    locked = _decided(change, by, FormularyChange.State.APPROVED)
    apply_rows(locked.rows, change=locked)
    record("formulary.approve", locked, by=by)
    return locked


@transaction.atomic
def reject_change(*, change: FormularyChange, by: User) -> FormularyChange:
    """Raises SamePerson; MoveRefused when it was decided before."""
    locked = _decided(change, by, FormularyChange.State.REJECTED)
    record("formulary.reject", locked, by=by)
    return locked


def _decided(change: FormularyChange, by: User, state: str) -> FormularyChange:
    locked = FormularyChange.objects.select_for_update().get(pk=change.pk)
    if locked.state != FormularyChange.State.PROPOSED:
        raise MoveRefused("It was decided before.")
    if locked.proposed_by_id == by.pk:
        raise SamePerson
    locked.state, locked.decided_by, locked.decided_at = state, by, timezone.now()
    locked.save(update_fields=["state", "decided_by", "decided_at"])
    return locked


@transaction.atomic
def load_starter() -> int:
    """Add the generics of the starter set that are not there yet. Returns how many were added."""
    rows = read_csv(STARTER.read_text(encoding="utf-8"))
    known = set(DrugName.objects.values_list("key", flat=True))
    new = [row for row in rows if name_key(row["generic"]) not in known]
    if new:
        apply_rows(new, change=None)
        record("formulary.load", "formulary", by=None)
    return len({row["generic"] for row in new})


def export_formulary(*, by: User) -> str:
    """The formulary as CSV, with the rules in force today and those to come."""
    record("formulary.export", "formulary", by=by)
    return write_csv(formulary_rows(timezone.localdate()))


def apply_rows(rows: list[Row], *, change: FormularyChange | None) -> None:
    """Write checked rows. A generic's rules in them take the place of its rules from their day on."""
    by_generic: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_generic[name_key(row["generic"])].append(row)
    known = Drug.objects.named(list(by_generic))
    for key, drug in known.items():
        _end_rules(drug, by_generic[key])
        drug.dose_ranges.filter(pk__in=_replaced_doses(drug, by_generic[key])).delete()
    drugs = known | _make_drugs({key: by for key, by in by_generic.items() if key not in known})
    for key, drug in drugs.items():
        _set_facts(drug, by_generic[key])
    Drug.objects.bulk_update(
        drugs.values(), ["generic", "drug_class", "pregnancy", "withdrawn_on"], batch_size=500
    )
    _write_names(drugs, by_generic)
    DoseRange.objects.bulk_create(
        DoseRange(drug=drug, **dose._asdict())
        for key, drug in drugs.items()
        for dose in usual_doses(_first(by_generic[key], "daily_dose"))
    )
    _write_products(drugs, rows)
    _write_rules(drugs, rows, change)
    _write_interactions(rows)


def _first(rows: list[Row], column: str) -> str:
    return next((row[column] for row in rows if row.get(column)), "")


def _make_drugs(new: dict[str, list[Row]]) -> dict[str, Drug]:
    made = Drug.objects.bulk_create(
        Drug(generic=rows[0]["generic"], source=_first(rows, "source") or "committee")
        for rows in new.values()
    )
    return dict(zip(new, made, strict=True))


def _set_facts(drug: Drug, rows: list[Row]) -> None:
    """What an empty cell leaves as it is."""
    drug.generic = _first(rows, "new_name") or drug.generic
    drug.drug_class = _first(rows, "class") or drug.drug_class
    drug.pregnancy = _first(rows, "pregnancy") or drug.pregnancy
    if withdrawn := _first(rows, "withdrawn_on"):
        drug.withdrawn_on = date.fromisoformat(withdrawn)


def _replaced_doses(drug: Drug, rows: list[Row]) -> list[int]:
    if not _first(rows, "daily_dose"):
        return []
    return list(drug.dose_ranges.values_list("pk", flat=True))


def _write_names(drugs: dict[str, Drug], by_generic: dict[str, list[Row]]) -> None:
    """Old names stay: a draft that holds one still finds its generic."""
    wanted: dict[str, tuple[str, Drug]] = {}
    for key, drug in drugs.items():
        for name in [drug.generic, *split(_first(by_generic[key], "other_names"))]:
            _name, owner = wanted.setdefault(name_key(name), (name, drug))
            if owner != drug:
                raise BadRows([f"{name} cannot be a name of {owner} and of {drug}."])
    taken = Drug.objects.named([name for name, _drug in wanted.values()])
    for key, owner in taken.items():
        if wanted[key][1] != owner:
            raise BadRows([f"{wanted[key][0]} is a name of {owner} already."])
    DrugName.objects.bulk_create(
        DrugName(drug=drug, name=name, key=key)
        for key, (name, drug) in wanted.items()
        if key not in taken
    )


def _write_products(drugs: dict[str, Drug], rows: list[Row]) -> None:
    Product.objects.bulk_create(
        [
            Product(
                drug=drugs[name_key(row["generic"])],
                form=row["form"],
                strength=row["strength"],
                route=row["route"],
            )
            for row in rows
            if row.get("form")
        ],
        ignore_conflicts=True,
    )


def _end_rules(drug: Drug, rows: list[Row]) -> None:
    """The day before the new rules begin is the last of the old ones."""
    days = [row["effective_from"] for row in rows if row.get("list")]
    if not days:
        return
    first = date.fromisoformat(min(days))
    old = drug.rules.filter(effective_to=None) | drug.rules.filter(effective_to__gte=first)
    old.filter(effective_from__lt=first).update(effective_to=first - timedelta(days=1))
    # Rules that had not begun by then never come into force; what was issued keeps its own copy.
    old.filter(effective_from__gte=first).delete()


def _write_rules(drugs: dict[str, Drug], rows: list[Row], change: FormularyChange | None) -> None:
    DrugRule.objects.bulk_create(
        DrugRule(
            drug=drugs[name_key(row["generic"])],
            list=row["list"],
            use=row.get("use", ""),
            video_only=row.get("video_only") == "yes",
            effective_from=date.fromisoformat(row["effective_from"]),
            effective_to=date.fromisoformat(row["effective_to"])
            if row.get("effective_to")
            else None,
            source=row["source"],
            note=row.get("note", ""),
            change=change,
        )
        for row in rows
        if row.get("list")
    )


def _write_interactions(rows: list[Row]) -> None:
    pairs = [
        (row["generic"], *pair.split(": ", 1))
        for row in rows
        for pair in split(row.get("interactions", ""))
    ]
    found = Drug.objects.named([name for one, other, _words in pairs for name in (one, other)])
    for one, other, _words in pairs:
        if name_key(other) not in found:
            raise BadRows([f"{other} is not in the formulary: {one} names it."])
        if found[name_key(one)] == found[name_key(other)]:
            raise BadRows([f"{other} cannot interact with itself."])
    Interaction.objects.bulk_create(
        [
            Interaction(first=found[name_key(one)], second=found[name_key(other)], words=words)
            for one, other, words in pairs
        ],
        update_conflicts=True,
        update_fields=["words"],
        unique_fields=["first", "second"],
    )
