"""The intake of a phone app: by the API what a newcomer does on the pages."""

from itertools import cycle

from django.urls import reverse

from bench import rows
from bench.asking import Operation, ProgramAsk
from bench.client import Wanted

CLINICS = 20
API = "API intake"


def _code(how_many: int) -> list[ProgramAsk]:
    path = reverse("accounts_api:code")
    return [ProgramAsk(path, data={"phone": phone}) for phone in rows.phones(how_many)]


def _sign_in(how_many: int) -> list[ProgramAsk]:
    path, typed = reverse("accounts_api:sign_in"), {"code": rows.CODE, "device": "Asha's phone"}
    return [
        ProgramAsk(path, data={"phone": phone, **typed})
        for phone in rows.numbers_with_code(how_many)
    ]


def _accept_notice(how_many: int) -> list[ProgramAsk]:
    path, people = reverse("accounts_api:notice"), rows.users(how_many, noticed=False)
    return [ProgramAsk(path, key=key) for key in rows.phone_keys(people)]


def _register_patient(how_many: int) -> list[ProgramAsk]:
    typed: dict[str, object] = {
        "name": "Asha Menon",
        "age": 34,
        "sex": "female",
        "address": "12 Canal Road, Ernakulam 682011",
        "state": rows.KERALA,
        "district": 555,
        "language": "en",
    }
    path, keys = reverse("accounts_api:patients"), rows.phone_keys(rows.users(how_many))
    return [ProgramAsk(path, data=typed, key=key) for key in keys]


def _save_draft(how_many: int) -> list[ProgramAsk]:
    said = {
        "complaint": "Fever and cough for three days",
        "since": "days",
        "medicines": "Paracetamol",
    }
    path, accounts = reverse("consult_api:consultations"), rows.users(how_many)
    people, clinics = rows.patients(accounts), cycle(rows.clinics(CLINICS))
    return [
        ProgramAsk(
            path, data={"patient": str(patient.uid), "clinic": str(clinic.uid), **said}, key=key
        )
        for patient, clinic, key in zip(people, clinics, rows.phone_keys(accounts), strict=False)
    ]


def _take_token(how_many: int) -> list[ProgramAsk]:
    accounts = rows.users(how_many)
    drafts = rows.drafts(rows.patients(accounts), cycle(rows.clinics(CLINICS)))
    return [
        ProgramAsk(
            reverse("consult_api:request", args=[draft.uid]), data={"consent": True}, key=key
        )
        for draft, key in zip(drafts, rows.phone_keys(accounts), strict=True)
    ]


OPERATIONS = [
    Operation("API: code", Wanted(204), _code, part_of=API),
    Operation("API: sign-in, first time", Wanted(201), _sign_in, part_of=API),
    Operation("API: notice accepted", Wanted(200), _accept_notice, part_of=API),
    Operation("API: patient", Wanted(201), _register_patient, part_of=API),
    Operation("API: draft of the case", Wanted(201), _save_draft, part_of=API),
    Operation("API: token", Wanted(200), _take_token, part_of=API),
]
