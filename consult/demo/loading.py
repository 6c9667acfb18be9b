"""Writes the demonstration: people, places, clinics, duties. Running it twice changes nothing."""

from datetime import date, timedelta
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions import register_patient, verify_doctor
from accounts.models import District, Doctor, Enrolment, Facility, Patient, Post, Speciality, User
from accounts.seeding import OFFICERS as OFFICERS_GROUP
from accounts.seeding import seed
from consult.demo.people import (
    ADMIN_STAFF,
    DEMO_ACCOUNTS,
    DEMO_PASSWORD,
    DEMO_STAFF,
    DOCTORS,
    HEALTH_WORKERS,
    OFFICERS,
    STATE_OFFICER,
    WORKER_AT,
    DemoAccount,
    DemoDoctor,
    DemoPatient,
    DemoStaff,
)
from consult.demo.places import CLINICS, DISTRICTS, FACILITIES, DemoClinic, DemoFacility, Hours
from consult.demo.visits import VISITS, write_visits
from queues.actions import resume_duty, start_duty
from queues.models import Clinic, ClinicHours, HubLink


class OnlyInDemo(Exception):
    """The settings do not say DEMO: invented doctors have no place in a real service."""


@transaction.atomic
def load_demo() -> None:
    """Raises OnlyInDemo."""
    if not settings.DEMO:
        raise OnlyInDemo
    seed()
    for code, state, name, hindi in DISTRICTS:
        District.objects.get_or_create(
            code=code, defaults={"state_id": state, "name": name, "names": {"hi": hindi}}
        )
    facilities = {key: _facility(facility) for key, facility in FACILITIES.items()}
    clinics = {key: _clinic(clinic, facilities) for key, clinic in CLINICS.items()}
    users = {staff.phone: _staff(staff) for staff in DEMO_STAFF}
    for worker in HEALTH_WORKERS:
        _post(users[worker.phone], facilities[worker.facility], Post.Role.HEALTH_WORKER)
    for officer in OFFICERS:
        _officer(officer, users[officer.phone], facilities[officer.facility])
    admin = users[ADMIN_STAFF.phone]
    _post(admin, facilities[ADMIN_STAFF.facility], Post.Role.NODAL_OFFICER)
    for doctor in DOCTORS:
        _doctor(doctor, users[doctor.phone], facilities, clinics, verified_by=admin)
    for account in DEMO_ACCOUNTS:
        for patient in _account(account):
            if account.enrolled_at:
                at = account.enrolled_at
                _enrol(patient, facilities[at], users[WORKER_AT[at]])


def _facility(facility: DemoFacility) -> Facility:
    district = District.objects.get(pk=facility.district)
    row, _created = Facility.objects.get_or_create(
        name=facility.name,
        district=district,
        defaults={
            "names": {"hi": facility.hindi},
            "kind": facility.kind,
            "state_id": district.state_id,
            "address": facility.address,
        },
    )
    return row


def _clinic(clinic: DemoClinic, facilities: dict[str, Facility]) -> Clinic:
    facility = facilities.get(clinic.facility)
    row, created = Clinic.objects.get_or_create(
        name=clinic.name,
        state_id=clinic.state,
        defaults={
            "names": {"hi": clinic.hindi},
            "district": facility.district if facility else None,
            "facility": facility,
            "speciality": Speciality.objects.get(code=clinic.speciality),
            "takes_opd": clinic.takes_opd,
            **clinic.rules,
        },
    )
    if created:
        _open(row, clinic.hours)
        HubLink.objects.bulk_create(
            HubLink(spoke=facilities[spoke], clinic=row) for spoke in clinic.spokes
        )
    return row


def _open(clinic: Clinic, hours: Hours) -> None:
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, weekday=day, opens=opens, closes=closes)
        for day in hours.days
        for opens, closes in hours.stretches
    )


def _staff(staff: DemoStaff) -> User:
    """The account with its password and a paired authenticator; what was changed since stays."""
    is_admin = staff == ADMIN_STAFF
    user, _created = User.objects.get_or_create(
        phone=staff.phone,
        defaults={
            "name": staff.name,
            "language": staff.language,
            "password": _password_hash(),
            "is_staff": is_admin or staff in OFFICERS,
            "is_superuser": is_admin,
        },
    )
    if not TOTPDevice.objects.filter(user=user, confirmed=True).exists():
        TOTPDevice.objects.create(user=user, name="demonstration", key=staff.totp_key)
    return user


@cache
def _password_hash() -> str:
    """One for all of them: a hash costs 20 ms, and this password is no secret."""
    return make_password(DEMO_PASSWORD)


def _post(user: User, facility: Facility, role: str) -> None:
    if not Post.objects.filter(user=user, facility=facility, role=role).exists():
        Post.objects.create(user=user, facility=facility, role=role)


def _officer(officer: DemoStaff, user: User, facility: Facility) -> None:
    whole_state = officer.role == STATE_OFFICER
    _post(user, facility, Post.Role.STATE_OFFICER if whole_state else Post.Role.NODAL_OFFICER)
    user.groups.add(Group.objects.get(name=OFFICERS_GROUP))


def _doctor(
    doctor: DemoDoctor,
    user: User,
    facilities: dict[str, Facility],
    clinics: dict[str, Clinic],
    *,
    verified_by: User,
) -> None:
    facility = facilities.get(doctor.facility)
    row, created = Doctor.objects.get_or_create(
        user=user,
        defaults={
            "speciality": Speciality.objects.get(code=doctor.speciality),
            "facility": facility,
            "qualification": doctor.qualification,
            "registration_number": doctor.registration_number,
            "council": doctor.council,
            "contact": doctor.phone,
        },
    )
    if created and facility:
        _post(user, facility, Post.Role.DOCTOR)
    if created and doctor.verified:
        verify_doctor(doctor=row, by=verified_by)
    if doctor.on_duty and row.is_verified:
        for key in doctor.on_duty:
            start_duty(doctor=row, clinic=clinics[key])
        resume_duty(doctor=row)


def _account(account: DemoAccount) -> list[Patient]:
    """Those of the account's patients who were not there yet."""
    user, _created = User.objects.get_or_create(
        phone=account.phone,
        defaults={"name": account.name, "language": account.language, "password": "!"},
    )
    there = set(Patient.objects.of(user).values_list("name", flat=True))
    return [
        _patient(patient, account, user)
        for patient in account.patients
        if patient.name not in there
    ]


def _patient(patient: DemoPatient, account: DemoAccount, user: User) -> Patient:
    district = District.objects.get(pk=account.district)
    row = Patient(
        name=patient.name,
        sex=patient.sex,
        birth_date=_born_years_ago(patient.age),
        address=account.address,
        state_id=district.state_id,
        district=district,
        language=account.language,
        guardian_name=patient.guardian_name,
        guardian_relation=patient.guardian_relation,
        abha_number=patient.abha_number,
    )
    return register_patient(patient=row, by=user)


def _born_years_ago(age: int) -> date:
    return date(timezone.localdate().year - age, 1, 1)


def _enrol(patient: Patient, facility: Facility, worker: User) -> None:
    """At the health centre, with the visits that its health worker has brought the patient to."""
    visits = VISITS.get(patient.name, [])
    since = timezone.now() - timedelta(days=max((one.days_ago for one in visits), default=0))
    Enrolment.objects.create(
        patient=patient, facility=facility, enrolled_by=worker, enrolled_at=since
    )
    write_visits(visits, patient=patient, facility=facility, worker=worker)
