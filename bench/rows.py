"""Rows to measure with, written in bulk: people with sessions, drafts, lines of waiting people."""

import io
import secrets
from collections.abc import Iterable, Iterator
from datetime import time, timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions.keys import LIFE, PERSON, hash_of
from accounts.gates import NOTICE_SESSION_KEY, PASSWORD_BACKEND, PHONE_BACKEND
from accounts.models import (
    ApiToken,
    District,
    Doctor,
    Enrolment,
    Facility,
    NoticeAcceptance,
    Patient,
    PhoneDevice,
    Post,
    Speciality,
    User,
)
from accounts.notice import NOTICE_VERSION
from accounts.secrets import keyed_hash
from accounts.seeding import seed
from consult.models import Consultation, Observation
from queues.models import Clinic, ClinicDay, ClinicHours, Duty, HubLink, Presence, Token

CODE = "123456"
KERALA = 32
CLINICS_PER_SPOKE, WORKERS_PER_SPOKE = 2, 20
_numbers = count(9_876_000_000)
_names = count(1)


def tables() -> None:
    """The tables and what every deployment begins with."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    seed()
    call_command("formulary", stdout=io.StringIO())
    call_command("signing_keys", demonstration=True)
    District.objects.create(code=555, name="Ernakulam", state_id=KERALA)


def analyse() -> None:
    """What autovacuum would have done in time: after a bulk insert it has not come by yet."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def phones(how_many: int) -> list[str]:
    return [f"+91{next(_numbers)}" for _ in range(how_many)]


def numbers_with_code(how_many: int) -> list[str]:
    """Mobile numbers that were just sent CODE and have no account yet."""
    numbers = phones(how_many)
    PhoneDevice.objects.bulk_create(
        PhoneDevice(phone=phone, name="sms", code_hash=keyed_hash("otp", phone, CODE))
        for phone in numbers
    )
    return numbers


def users(how_many: int, *, noticed: bool = True) -> list[User]:
    made = User.objects.bulk_create(
        User(phone=phone, password=f"!{secrets.token_hex(20)}") for phone in phones(how_many)
    )
    if noticed:
        NoticeAcceptance.objects.bulk_create(
            NoticeAcceptance(user=user, version=NOTICE_VERSION, language="en") for user in made
        )
    return made


def sessions(people: Iterable[User], *, noticed: bool = True) -> list[str]:
    """Keys of sessions opened by a code."""
    more = {NOTICE_SESSION_KEY: NOTICE_VERSION} if noticed else {}
    return _sessions((user, PHONE_BACKEND, more) for user in people)


def phone_keys(people: Iterable[User]) -> list[str]:
    """Keys of programs, one for each."""
    given = {user.pk: f"{PERSON}{secrets.token_urlsafe(32)}" for user in people}
    ends = timezone.now() + LIFE
    ApiToken.objects.bulk_create(
        ApiToken(user_id=pk, device="phone", key_hash=hash_of(key), expires_at=ends)
        for pk, key in given.items()
    )
    return list(given.values())


def _sessions(opened: Iterable[tuple[User, str, dict[str, Any]]]) -> list[str]:
    store_of = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    rows = []
    for user, backend, more in opened:
        signed_in = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: backend,
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        store = store_of(secrets.token_hex(16))
        rows.append(store.create_model_instance(signed_in | more))
    return [row.session_key for row in store_of.get_model_class().objects.bulk_create(rows)]


def patients(accounts: Iterable[User]) -> list[Patient]:
    born = timezone.localdate().replace(day=1) - timedelta(days=34 * 366)
    return Patient.objects.bulk_create(
        Patient(
            account=account,
            name=f"Asha Menon {next(_names)}",
            sex=Patient.Sex.FEMALE,
            birth_date=born,
            address="12 Canal Road, Ernakulam 682011",
            state_id=KERALA,
            district_id=555,
            language="en",
        )
        for account in accounts
    )


def clinics(how_many: int) -> list[Clinic]:
    """Always open, with room for everybody and one doctor on duty each."""
    speciality = Speciality.objects.get(code="general-medicine")
    made = Clinic.objects.bulk_create(
        Clinic(
            name=f"OPD {next(_names)}",
            state_id=KERALA,
            speciality=speciality,
            daily_limit=1_000_000,
            waiting_limit=1_000_000,
        )
        for _ in range(how_many)
    )
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, weekday=day, opens=time(0), closes=time(0))
        for clinic in made
        for day in range(7)
    )
    for clinic in made:
        doctors(clinic, 1)
    return made


def doctors(clinic: Clinic, how_many: int) -> list[Doctor]:
    """Verified, on duty in the clinic, with an authenticator app."""
    people = users(how_many, noticed=False)
    made = Doctor.objects.bulk_create(
        Doctor(
            user=user,
            speciality=clinic.speciality,
            qualification="MBBS",
            registration_number=f"KL-{user.pk}",
            council="Kerala State Medical Council",
            contact="0484 000000",
            verified_at=timezone.now(),
            verified_by=user,
        )
        for user in people
    )
    Duty.objects.bulk_create(Duty(doctor=doctor, clinic=clinic) for doctor in made)
    return made


def doctors_sessions(staff: Iterable[Doctor]) -> list[str]:
    """Keys of sessions opened by password and authenticator app."""
    return staff_sessions(doctor.user for doctor in staff)


def staff_sessions(staff: Iterable[User]) -> list[str]:
    """As doctors_sessions(), of anybody."""
    devices = TOTPDevice.objects.bulk_create(
        TOTPDevice(user=user, name="app", confirmed=True) for user in staff
    )
    return _sessions(
        (device.user, PASSWORD_BACKEND, {DEVICE_ID_SESSION_KEY: device.persistent_id})
        for device in devices
    )


def health_workers(how_many: int) -> list[tuple[Facility, str]]:
    """As many health workers, 20 to a health centre that is linked to two hub clinics; with sessions."""
    hubs = clinics(CLINICS_PER_SPOKE)
    spokes = Facility.objects.bulk_create(
        Facility(name=f"Spoke {next(_names)}", kind="sub_centre", state_id=KERALA, district_id=555)
        for _ in range(-(-how_many // WORKERS_PER_SPOKE))
    )
    HubLink.objects.bulk_create(
        HubLink(spoke=spoke, clinic=clinic) for spoke in spokes for clinic in hubs
    )
    staff = users(how_many, noticed=False)
    posts = Post.objects.bulk_create(
        Post(user=user, facility=spokes[number // WORKERS_PER_SPOKE], role="health_worker")
        for number, user in enumerate(staff)
    )
    keys = staff_sessions(staff)
    return [(post.facility, key) for post, key in zip(posts, keys, strict=True)]


def enrolled(how_many: int) -> list[tuple[Patient, Facility, str]]:
    """Patients before a health worker: each with the centre and the health worker's session."""
    workers = health_workers(how_many)
    people = patients(users(how_many))
    Enrolment.objects.bulk_create(
        Enrolment(patient=patient, facility=facility, enrolled_by=patient.account)
        for patient, (facility, _key) in zip(people, workers, strict=True)
    )
    return [(patient, *worker) for patient, worker in zip(people, workers, strict=True)]


def centre_drafts(how_many: int, *, ready: bool = False) -> list[tuple[Consultation, str]]:
    """Cases that health workers have begun; `ready` ones say enough to be sent."""
    there = enrolled(how_many)
    clinic_of = dict(HubLink.objects.values_list("spoke", "clinic"))
    known = Clinic.objects.in_bulk(set(clinic_of.values()))
    made = Consultation.objects.bulk_create(
        Consultation(
            patient=patient,
            facility=facility,
            requested_by=patient.account,
            clinic=known[clinic_of[facility.pk]],
            complaint="Fever and cough for three days" if ready else "",
            since="days" if ready else "",
        )
        for patient, facility, _key in there
    )
    if ready:
        Observation.objects.bulk_create(
            Observation(
                consultation=draft, patient=draft.patient, kind="temperature", value=38,
                loinc="61008-9", unit="Cel", taken_by=draft.requested_by,
            )
            for draft in made
        )  # fmt: skip
    return [(draft, key) for draft, (_patient, _facility, key) in zip(made, there, strict=True)]


def drafts(people: Iterable[Patient], where: Iterator[Clinic]) -> list[Consultation]:
    return Consultation.objects.bulk_create(_case(patient, next(where)) for patient in people)


@transaction.atomic
def waiting(people: list[Patient], clinic: Clinic) -> list[Consultation]:
    """The clinic's whole line: everybody present, one in ten with priority."""
    today, now = timezone.localdate(), timezone.now()
    tokens = Token.objects.bulk_create(
        Token(
            clinic=clinic,
            day=today,
            number=number,
            patient=patient,
            priority=Token.Priority.ORDINARY if number % 10 else Token.Priority.PRIORITY,
        )
        for number, patient in enumerate(people, 1)
    )
    ClinicDay.objects.create(clinic=clinic, day=today, last_number=len(tokens))
    Presence.objects.bulk_create(
        Presence(token=token, until=now + timedelta(hours=1)) for token in tokens
    )
    cases = [_case(token.patient, clinic) for token in tokens]
    for case, token in zip(cases, tokens, strict=True):
        case.state, case.token, case.requested_at = Consultation.State.REQUESTED, token, now
    return Consultation.objects.bulk_create(cases)


def _case(patient: Patient, clinic: Clinic) -> Consultation:
    return Consultation(
        patient=patient, clinic=clinic, complaint="Fever and cough for three days", since="days"
    )
