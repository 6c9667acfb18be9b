"""Finding a patient at a health centre: by a number that they carry, or by name, age and village.

A number must be exact. A name alone finds nobody: without age and village it would be a way to leaf
through a state's patients. Every search is written down by the page that asks.
"""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import CharField, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.checks import is_luhn
from accounts.forms import ascii_digits
from accounts.models import Patient, State, User
from accounts.models.patients import PatientQuerySet
from accounts.phone import normalise
from esanjeevani.sql.composed import Composed

SHOWN = 20
AGE_IS_ABOUT = 3  # years to each side: ages are told, not looked up
PATIENT_NUMBER, ABHA_NUMBER = 12, 14  # digits


class Mistyped(Exception):
    """The number cannot be right. `reason`: length, or check_digit of a patient or ABHA number."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _people(wanted: Q) -> PatientQuerySet:
    people = Patient.objects.filter(wanted).select_related("account", "state", "district")
    return people.order_by("name", "pk")[:SHOWN]


def _account(phone: Any) -> QuerySet[User, int]:
    return User.objects.filter(phone=phone).values_list("pk", flat=True)


BY_PHONE = Composed(lambda phone: _people(Q(account__phone=phone)), phone=CharField())
BY_ABHA = Composed(  # the index has no empty numbers
    lambda abha: _people(Q(abha_number=abha) & ~Q(abha_number="")), abha=CharField()
)
BY_EITHER = Composed(  # the account apart: joined, both tables would be read from end to end
    lambda number, phone: _people(Q(number=number) | Q(account=Subquery(_account(phone)))),
    number=CharField(),
    phone=CharField(),
)


def find_by_number(typed: str) -> list[Patient]:
    """Whose mobile, patient or ABHA number this is. Raises Mistyped.

    Twelve digits can be a patient number or a mobile number with its country code: both are looked for.
    """
    digits = ascii_digits(typed)
    phone = _phone(typed)
    if len(digits) == ABHA_NUMBER:
        if not is_luhn(digits) and not Patient.objects.filter(abha_number=digits).exists():
            raise Mistyped("check_digit")
        return BY_ABHA.all(abha=digits)
    if len(digits) == PATIENT_NUMBER and (is_luhn(digits) or not phone):
        if not is_luhn(digits):
            raise Mistyped("check_digit")
        return BY_EITHER.all(number=digits, phone=phone)
    if not phone:
        raise Mistyped("length")
    return BY_PHONE.all(phone=phone)


def _phone(typed: str) -> str:
    try:
        return normalise(typed)
    except ValidationError:
        return ""


def find_by_name(*, name: str, age: int, village: str, state: State) -> list[Patient]:
    """Of one state, with these words in the name, about this age, in this village."""
    wanted = Q(state=state, birth_date__range=_born(age))
    for word in name.split():
        wanted &= Q(name__icontains=word)
    return list(_people(wanted & Q(address__icontains=village.strip())))


def _born(age: int) -> tuple[date, date]:
    today = timezone.localdate()
    year = timedelta(days=365.25)
    return today - year * (age + 1 + AGE_IS_ABOUT), today - year * max(0, age - AGE_IS_ABOUT)
