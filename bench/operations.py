"""What is measured: each operation prepares rows and says with which requests it is driven."""

from collections.abc import Iterator
from itertools import cycle
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.views.signing_in import PHONE_COOKIE
from bench import programs, rows
from bench.asking import Ask, Operation
from bench.client import Wanted
from consult.views.centre.patients import FOUND

LINE = 50  # people waiting where the waiting room and the call are measured
DOCTORS_PER_LINE = 20
CLINICS = 20


def _session(key: str) -> dict[str, str]:
    return {settings.SESSION_COOKIE_NAME: key}


def _empty(how_many: int) -> list[Ask]:
    return [Ask("/healthz")] * how_many


def _send_code(how_many: int) -> list[Ask]:
    path = reverse("accounts:sign_in")
    return [Ask(path, {"phone": phone}) for phone in rows.phones(how_many)]


def _sign_in(how_many: int) -> list[Ask]:
    path, signer = reverse("accounts:code"), signing.get_cookie_signer(salt=PHONE_COOKIE)
    return [
        Ask(path, {"code": rows.CODE}, {PHONE_COOKIE: signer.sign(phone)})
        for phone in rows.numbers_with_code(how_many)
    ]


def _accept_notice(how_many: int) -> list[Ask]:
    keys = rows.sessions(rows.users(how_many, noticed=False), noticed=False)
    return [Ask(reverse("accounts:privacy"), {}, _session(key)) for key in keys]


def _register_patient(how_many: int) -> list[Ask]:
    form = {
        "name": "Asha Menon",
        "birth_date": "",
        "age": "34",
        "sex": "female",
        "guardian_name": "",
        "guardian_relation": "",
        "address": "12 Canal Road, Ernakulam 682011",
        "state": str(rows.KERALA),
        "district": "555",
        "language": "en",
        "abha_number": "",
    }
    keys = rows.sessions(rows.users(how_many))
    return [Ask(reverse("accounts:new_patient"), form, _session(key)) for key in keys]


def _save_draft(how_many: int) -> list[Ask]:
    form = {
        "complaint": "Fever and cough for three days",
        "since": "days",
        "allergies": "",
        "medicines": "Paracetamol",
    }
    accounts = rows.users(how_many)
    people, clinics = rows.patients(accounts), cycle(rows.clinics(CLINICS))
    return [
        Ask(reverse("consult:case", args=[patient.uid, clinic.uid]), form, _session(key))
        for patient, clinic, key in zip(people, clinics, rows.sessions(accounts), strict=False)
    ]


def _take_token(how_many: int) -> list[Ask]:
    accounts = rows.users(how_many)
    drafts = rows.drafts(rows.patients(accounts), cycle(rows.clinics(CLINICS)))
    return [
        Ask(reverse("consult:confirm", args=[draft.uid]), {"consent": "on"}, _session(key))
        for draft, key in zip(drafts, rows.sessions(accounts), strict=True)
    ]


def _waiting_room(how_many: int) -> list[Ask]:
    accounts = rows.users(LINE)
    (clinic,) = rows.clinics(1)
    line = rows.waiting(rows.patients(accounts), clinic)
    pages = [
        Ask(reverse("consult:visit", args=[case.uid]), None, _session(key))
        for case, key in zip(line, rows.sessions(accounts), strict=True)
    ]
    return [page for page, _number in zip(cycle(pages), range(how_many), strict=False)]


def _call_next(how_many: int) -> list[Ask]:
    """Each request is another doctor's: who has called holds a patient."""
    return [ask for _line, ask in zip(range(how_many), _calls(how_many), strict=False)]


def _calls(how_many: int) -> Iterator[Ask]:
    path = reverse("consult:call_next")
    staffed = []
    for clinic in rows.clinics(-(-how_many // DOCTORS_PER_LINE)):
        rows.waiting(rows.patients(rows.users(LINE + DOCTORS_PER_LINE)), clinic)
        staff = rows.doctors(clinic, DOCTORS_PER_LINE)
        staffed.append((clinic, rows.doctors_sessions(staff)))
    for turn in range(DOCTORS_PER_LINE):
        for clinic, keys in staffed:
            yield Ask(path, {"clinic": str(clinic.uid)}, _session(keys[turn]))


def _centre_find(how_many: int) -> list[Ask]:
    """Each request is another health worker's, looking for one number."""
    path, workers = reverse("consult:centre_find"), rows.health_workers(how_many)
    people = rows.patients(rows.users(how_many))
    return [
        Ask(f"{path}?{urlencode({'number': patient.account.phone})}", None, _session(key))
        for patient, (_facility, key) in zip(people, workers, strict=True)
    ]


def _centre_here(how_many: int) -> list[Ask]:
    people = rows.patients(rows.users(how_many))
    return [
        Ask(
            reverse("consult:centre_here"),
            {"found": signing.dumps([str(patient.uid), facility.pk], salt=FOUND)},
            _session(key),
        )
        for patient, (facility, key) in zip(people, rows.health_workers(how_many), strict=True)
    ]


def _centre_open(how_many: int) -> list[Ask]:
    return [
        Ask(reverse("consult:centre_open", args=[patient.uid]), {}, _session(key))
        for patient, _facility, key in rows.enrolled(how_many)
    ]


def _centre_case(how_many: int) -> list[Ask]:
    form = {
        "revision": "0",
        "complaint": "Fever and cough for three days",
        "since": "days",
        "allergies": "none",
        "examination": "Throat red, lungs clear",
        "vital_temperature": "38.4",
        "vital_pulse": "96",
        "vital_systolic": "124",
        "vital_diastolic": "78",
        "vital_weight": "54",
        "go_on": "1",
    }
    return [
        Ask(reverse("consult:centre_case", args=[draft.uid]), form, _session(key))
        for draft, key in rows.centre_drafts(how_many)
    ]


def _centre_send(how_many: int) -> list[Ask]:
    said = {"how": "spoken", "consent": "on", "is_present": "on", "send": "1"}
    return [
        Ask(
            reverse("consult:centre_send", args=[draft.uid]),
            said | {"clinic": str(draft.clinic.uid)},
            _session(key),
        )
        for draft, key in rows.centre_drafts(how_many, ready=True)
    ]


OPD, HUB = "intake", "hub intake"
SIGNED_IN = Wanted(302, cookie=f"{settings.SESSION_COOKIE_NAME}=")
EMPTY = Operation("empty view", Wanted(200), _empty)
OPERATIONS = [
    Operation("OTP send", Wanted(302, "/sign-in/code/"), _send_code, part_of=OPD),
    Operation("OTP sign-in, first time", SIGNED_IN, _sign_in, part_of=OPD),
    Operation("privacy notice accepted", Wanted(302, "/"), _accept_notice),
    Operation("patient create", Wanted(302, "/book/"), _register_patient, part_of=OPD),
    Operation("draft of the case", Wanted(302, "/consultations/"), _save_draft, part_of=OPD),
    Operation("token create", Wanted(302, "/consultations/"), _take_token, part_of=OPD),
    Operation("waiting-room page", Wanted(200), _waiting_room),
    Operation("call next", Wanted(302, "/doctor/"), _call_next),
    Operation("centre: find by number", Wanted(200), _centre_find, part_of=HUB),
    Operation("centre: patient is here", Wanted(302, "/centre/"), _centre_here, part_of=HUB),
    Operation("centre: new case", Wanted(302, "/centre/"), _centre_open, part_of=HUB),
    Operation("centre: case with vitals", Wanted(302, "/centre/"), _centre_case, part_of=HUB),
    Operation("centre: send", Wanted(302, "/centre/"), _centre_send, part_of=HUB),
    *programs.OPERATIONS,
]
