"""Registering people, at home and at a health centre, and finding out who is registered already."""

from datetime import MAXYEAR, MINYEAR, date
from typing import cast

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import BigAutoField, CharField, DateField

from accounts.actions.audit import event, record
from accounts.models import Enrolment, Facility, Patient, User
from esanjeevani.sql.composed import Composed, Question, together
from esanjeevani.sql.rows import insert, insert_unless_there
from esanjeevani.sql.steps import insert_with

ALIKE_SHOWN = 5
LOCKED = Composed(
    lambda account: User.objects.select_for_update().filter(pk=account), account=BigAutoField()
)
LOCKED_BY_PHONE = Composed(
    lambda phone: User.objects.select_for_update().filter(phone=phone), phone=CharField()
)

ALIKE = Composed(
    lambda **of: Patient.objects.like(**of)[:ALIKE_SHOWN],
    account=BigAutoField(),
    name=CharField(),
    first=CharField(),
    sex=CharField(),
    since=DateField(),
    until=DateField(),
)


class LooksAlike(Exception):
    """Perhaps this person is registered already: `patients` are much like it."""

    def __init__(self, patients: list[Patient]) -> None:
        super().__init__(f"{len(patients)} alike")
        self.patients = patients


@transaction.atomic
def register_patient(*, patient: Patient, by: User, sure: bool = False) -> Patient:
    """Save a new patient of `by`'s account. Raises LooksAlike, unless somebody is `sure`.

    The account is locked meanwhile: of a double click, the second finds whom the first saved.
    """
    patient.account = by
    behind_the_lock = [] if sure else [_alike_in_account(patient)]
    _account, *alike = together(LOCKED.asked(account=by.pk), *behind_the_lock)
    if any(alike):
        raise LooksAlike(*alike)
    registered = event("patient.register", patient, by=by, patient=patient)
    insert_with(patient, registered, is_last=True)
    return patient


@transaction.atomic
def register_at_centre(
    *, patient: Patient, phone: str, facility: Facility, by: User, sure: bool = False
) -> Patient:
    """Save a new patient whom a health worker registers, under the account of their own number.

    The account is made when there is none; whoever signs in with that number later sees what the
    health centre did. Raises LooksAlike with people of the account, or of the state with the same
    name, sex and nearly the same age, unless somebody is `sure`.
    """
    account = User(phone=phone, language=patient.language, password=make_password(None))
    if not insert_unless_there(account):
        account = cast(User, LOCKED_BY_PHONE.first(phone=phone))
    patient.account = account
    if not sure and (alike := _alike(patient)):
        raise LooksAlike(alike)
    insert_with(
        patient,
        event("patient.register", patient, by=by, patient=patient),
        Enrolment(patient=patient, facility_id=facility.pk, enrolled_by_id=by.pk),
        event("patient.enrol", patient, by=by, patient=patient),
        is_last=True,
    )
    return patient


def alike_in_account(patient: Patient) -> list[Patient]:
    """Who of the account is perhaps this new person: born at most two calendar years apart."""
    found: list[Patient] = _alike_in_account(patient).ask()
    return found


def _alike_in_account(patient: Patient) -> Question:
    year = patient.birth_date.year
    return ALIKE.asked(
        account=patient.account_id,
        name=patient.name,
        first=patient.name.split()[0] if patient.name.split() else "",
        sex=patient.sex,
        since=date(max(year - 2, MINYEAR), 1, 1),
        until=date(min(year + 2, MAXYEAR), 12, 31),
    )


def _alike(patient: Patient) -> list[Patient]:
    same_account = alike_in_account(patient)
    same_name = Patient.objects.namesakes(patient).exclude(pk__in=[one.pk for one in same_account])
    return (same_account + list(same_name[:ALIKE_SHOWN]))[:ALIKE_SHOWN]


def enrol(*, patient: Patient, facility: Facility, by: User) -> None:
    """The patient is before this health centre: its health workers see the case from now on."""
    here = Enrolment(patient_id=patient.pk, facility_id=facility.pk, enrolled_by_id=by.pk)
    came = event("patient.enrol", patient, by=by, patient=patient)
    if not insert_with(here, came, unless_there=True):
        insert(came)  # once more


@transaction.atomic
def update_patient(*, patient: Patient, by: User) -> Patient:
    """Save what was changed. What was printed on earlier prescriptions stays as it was.

    Another ABHA number or address is no longer the one that the gateway has verified.
    """
    before = Patient.objects.values_list("abha_number", "abha_address").get(pk=patient.pk)
    if before != (patient.abha_number, patient.abha_address):
        patient.abha_verified_at = None
    patient.save(force_update=True)
    record("patient.update", patient, by=by, patient=patient)
    return patient
