"""The people and places of a run, written in bulk before it: only what an officer would have entered."""

import secrets
from dataclasses import dataclass
from math import ceil

from django.contrib.auth.hashers import make_password
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import District, Facility, Post, User
from bench import rows
from bench.load.doctors import Account
from bench.load.parameters import PER_DOCTOR, PER_HEALTH_WORKER, Parameters
from consult.models import Consultation
from queues.models import Clinic, Duty, HubLink

KNOWN_PATIENTS = 3_000
CLINICS_PER_SPOKE = 2


@dataclass
class Cast:
    """Who can be played; each account works one day and goes home."""

    clinics: list[str]
    doctors: list[Account]
    health_workers: list[Account]
    patients: list[str]  # mobile numbers that a health centre finds

    def next_doctor(self, clinic: str) -> Account | None:
        """One who has not worked yet; None when all of the clinic's have."""
        for account in self.doctors:
            if account.clinic == clinic:
                self.doctors.remove(account)
                return account
        return None


def make_cast(plan: Parameters, consultations: int) -> Cast:
    """Tables, places, staff for so many consultations, and patients who were here before."""
    rows.tables()
    clinics = rows.clinics(plan.clinics)
    Duty.objects.all().delete()  # the doctors of the run go on duty themselves
    password = secrets.token_hex(12)
    hashed = make_password(
        password
    )  # once: hashing is slow on purpose, signing in pays it each time
    doctors = []
    for number, clinic in enumerate(clinics):
        days = plan.doctors + ceil(consultations / PER_DOCTOR) + plan.doctors
        share = ceil(days / len(clinics)) + (number < days % len(clinics))
        staff = rows.doctors(clinic, share)
        Duty.objects.all().delete()
        doctors.append(_accounts([doctor.user for doctor in staff], password, hashed, clinic.uid))
    workers = _health_workers(plan, consultations, clinics)
    people = rows.users(KNOWN_PATIENTS)
    rows.patients(people)
    rows.analyse()
    return Cast(
        clinics=[str(clinic.uid) for clinic in clinics],
        doctors=[account for turn in zip(*doctors, strict=False) for account in turn],
        health_workers=_accounts(workers, password, hashed),
        patients=[person.phone for person in people],
    )


def _health_workers(plan: Parameters, consultations: int, clinics: list) -> list[User]:
    """One to a sub-centre; each is linked to the next two clinics."""
    there = District.objects.get(code=555)
    waiting = ceil(plan.peak_rate * (plan.talk + 30))  # at the same time
    how_many = ceil(consultations * 1.2 / PER_HEALTH_WORKER) + waiting + plan.strangers + 10
    spokes = Facility.objects.bulk_create(
        Facility(name=f"Sub-centre {n}", kind="sub_centre", state_id=rows.KERALA, district=there)
        for n in range(how_many)
    )
    HubLink.objects.bulk_create(
        HubLink(spoke=spoke, clinic=clinics[(n + k) % len(clinics)])
        for n, spoke in enumerate(spokes)
        for k in range(min(CLINICS_PER_SPOKE, len(clinics)))
    )
    staff = rows.users(how_many, noticed=False)
    Post.objects.bulk_create(
        Post(user=user, facility=spoke, role="health_worker")
        for user, spoke in zip(staff, spokes, strict=True)
    )
    return staff


def _accounts(people: list[User], password: str, hashed: str, clinic: object = "") -> list[Account]:
    User.objects.filter(pk__in=[user.pk for user in people]).update(password=hashed)
    for user in people:
        user.password = hashed
    sessions = rows.staff_sessions(people)
    devices = {device.user_id: device for device in TOTPDevice.objects.filter(user__in=people)}
    return [
        Account(user.phone, password, devices[user.pk].bin_key, session, str(clinic))
        for user, session in zip(people, sessions, strict=True)
    ]


def open_pages(how_many: int) -> list[tuple[str, str]]:
    """Sockets of health workers with a patient before them, two each, and their sessions."""
    opened = []
    for case, session in rows.centre_drafts(how_many // 2):
        paths = ("/ws/centre/", f"/ws/consultations/{case.uid}/")
        opened += [(path, session) for path in paths]
    drafts = Consultation.objects.filter(state=Consultation.State.DRAFT)
    Clinic.objects.filter(pk__in=drafts.values("clinic")).update(is_active=False)
    return opened
