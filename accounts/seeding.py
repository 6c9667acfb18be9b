"""What every deployment needs before its first patient: states, specialities, SMS texts, rights.

Written once. What an operator changed afterwards stays; only what is missing is added.
"""

import json
from pathlib import Path
from string import Formatter
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts.models import SmsTemplate, Speciality, State

OFFICERS = "Nodal officers"
# What they may do, inside their area (accounts.area). Patients' data is not among it.
OFFICERS_MAY = {
    "accounts": [
        "view_state", "change_state", "view_district", "view_speciality",
        "view_facility", "add_facility", "change_facility",
        "view_post", "add_post", "change_post",
        "view_doctor", "add_doctor", "change_doctor", "verify_doctor",
        "view_user", "add_user",
    ],
    "queue": [
        "view_clinic", "add_clinic", "change_clinic",
        "view_clinichours", "add_clinichours", "change_clinichours", "delete_clinichours",
        "view_hublink", "add_hublink", "change_hublink", "delete_hublink",
        "view_duty", "change_duty", "view_clinicday",
    ],
}  # fmt: skip

DATA = Path(__file__).parent / "data"


@transaction.atomic
def seed() -> dict[str, int]:
    """How many rows there are now, by their plural name. Running it twice changes nothing."""
    _seed_named(State, [_state(row) for row in _read("states.json")])
    _seed_named(Speciality, [_speciality(row) for row in _read("specialities.json")])
    SmsTemplate.objects.bulk_create(
        [
            SmsTemplate(key=key, language=language, text=text)
            for key, texts in _read("sms.json").items()
            for language, text in texts.items()
        ],
        ignore_conflicts=True,
    )
    _seed_officers()
    return {
        str(model._meta.verbose_name_plural): model._default_manager.count()
        for model in (State, Speciality, SmsTemplate)
    }


def _seed_officers() -> None:
    """The group, with its rights once: what an operator took away or added stays."""
    group, created = Group.objects.get_or_create(name=OFFICERS)
    if created:
        wanted = Q()
        for app, codenames in OFFICERS_MAY.items():
            wanted |= Q(content_type__app_label=app, codename__in=codenames)
        group.permissions.set(Permission.objects.filter(wanted))


def sms_slots(key: str) -> set[str]:
    """The slots that a message with this key is filled with. Raises KeyError for an unknown key."""
    return slots_of(_read("sms.json")[key]["en"])


def slots_of(text: str) -> set[str]:
    """The names between braces. Raises ValueError when a brace is left open."""
    return {part[1] for part in Formatter().parse(text) if part[1] is not None}


def _seed_named(model: type[State] | type[Speciality], rows: list[Any]) -> None:
    """Add the rows whose code is not there yet, and to the others the languages they lack."""
    known: dict[Any, Any] = {row.code: row for row in model._default_manager.all()}
    model._default_manager.bulk_create([row for row in rows if row.code not in known])
    lacking = []
    for row in rows:
        there = known.get(row.code)
        if there and not row.names.keys() <= there.names.keys():
            there.names = row.names | there.names
            lacking.append(there)
    model._default_manager.bulk_update(lacking, ["names"])


def _state(row: dict[str, Any]) -> State:
    return State(
        code=row["code"],
        name=row["name"],
        names={"hi": row["hi"]},
        is_union_territory=row.get("union_territory", False),
    )


def _speciality(row: dict[str, Any]) -> Speciality:
    """What a row does not say of whom it is for is left to the model: everybody, and no general doctor."""
    names = {"hi": row.pop("hi")}
    return Speciality(names=names, **row)


def _read(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))
