"""The FHIR server, asked by people and by facilities' machines."""

import json
from urllib.parse import urlencode

from django.test import Client

from accounts.actions.keys import give_key, issue_token
from accounts.models import Facility, MachineClient, User


def a_machine(facility: Facility, person: User, **rights: bool) -> tuple[MachineClient, str]:
    client = MachineClient(name="Kiosk", facility=facility, answers_for=person, **rights)
    return client, give_key(client=client, by=person)


def ask(key: str, path: str, data: object = None, more: dict[str, str] | None = None):
    headers = ({"Authorization": f"Bearer {key}"} if key else {}) | (more or {})
    if data is None:
        return Client().get(f"/fhir/{path}", headers=headers)
    body = data if isinstance(data, str) else json.dumps(data)
    return Client().post(
        f"/fhir/{path}", body, content_type="application/fhir+json", headers=headers
    )


def of(user: User, *, staff: bool = False) -> str:
    return issue_token(user=user, device="phone", has_second_factor=staff)[1]


def found_by(key: str, kind: str, **asked: str) -> list[str]:
    entries = ask(key, f"{kind}?{urlencode(asked)}").json().get("entry", [])
    return [one["resource"]["id"] for one in entries]
