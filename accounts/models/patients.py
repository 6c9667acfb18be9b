from datetime import date
from secrets import choice, randbelow
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.checks import luhn_digit
from accounts.models.base import Public
from accounts.models.people import User
from accounts.models.places import District, Facility, State
from esanjeevani.today import today

ADULT = 18
SENIOR = 60


def new_patient_number() -> str:
    """12 digits: 11 random and a Luhn check digit, so that one wrong digit is noticed.

    No slip makes it begin with 91: it would pass for a mobile number with its country code.
    """
    digits = f"{choice('2345678')}{choice('023456789')}{randbelow(10**9):09d}"
    return digits + luhn_digit(digits)


class PatientQuerySet(models.QuerySet["Patient"]):
    def of(self, user: User) -> "PatientQuerySet":
        return self.filter(account=user)

    def known_at(self, facility: Facility) -> "PatientQuerySet":
        """Whom a health worker of this facility has had before them."""
        return self.filter(enrolments__facility=facility)

    def like(
        self, *, account: Any, name: Any, first: Any, sex: Any, since: Any, until: Any
    ) -> "PatientQuerySet":
        """Of the account, by the same name; or of the same sex and first name, born between the two."""
        same_name = Exact(Upper("name"), Upper(name))
        begins = Exact(StrIndex(Upper("name"), Upper(first)), 1)
        born = Q(birth_date__gte=since, birth_date__lte=until, sex=sex)
        return self.filter(Q(same_name) | Q(begins) & born, account=account)

    def namesakes(self, patient: "Patient") -> "PatientQuerySet":
        """Of the same state, with the same name and sex and nearly the same birth year."""
        years = (patient.birth_date.year - 2, patient.birth_date.year + 2)
        return self.filter(
            name__iexact=patient.name,
            sex=patient.sex,
            state=patient.state,
            birth_date__year__range=years,
        ).exclude(pk=patient.pk)


class Patient(Public):
    """One person who is treated. Several may share one account: a family has one phone.

    Never anonymous: name, age, sex, address and phone are known before a doctor is asked
    (Telemedicine Practice Guidelines 2020, 3.2); under 18 only with an identified adult (3.3.3).
    """

    class Sex(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="patients"
    )
    number = models.CharField(
        max_length=12, unique=True, default=new_patient_number, editable=False
    )
    name = models.CharField(_("full name"), max_length=120)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex.choices)
    birth_date = models.DateField(_("date of birth"))
    birth_date_is_exact = models.BooleanField(default=True)
    address = models.CharField(_("address"), max_length=200)
    state = models.ForeignKey(State, on_delete=models.PROTECT, verbose_name=_("state"))
    district = models.ForeignKey(
        District, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("district")
    )
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    guardian_name = models.CharField(_("name of the adult"), max_length=120, blank=True)
    guardian_relation = models.CharField(_("relation to the patient"), max_length=60, blank=True)
    abha_number = models.CharField(_("ABHA number"), max_length=14, blank=True)
    abha_address = models.CharField(_("ABHA address"), max_length=60, blank=True)
    abha_verified_at = models.DateTimeField(
        "ABHA verified at",
        null=True,
        blank=True,
        editable=False,
        help_text="When the ABDM gateway said that it is so.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["state", "birth_date"], name="accounts_patient_by_age"),
            models.Index(
                fields=["abha_number"],
                condition=~Q(abha_number=""),
                name="accounts_patient_abha",
            ),
            models.Index(
                fields=["abha_address"],
                condition=~Q(abha_address=""),
                name="accounts_patient_abha_address",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(abha_verified_at=None) | ~Q(abha_number="") | ~Q(abha_address=""),
                name="accounts_patient_verified_has_abha",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def age(self) -> int:
        return age_on(self.birth_date, today())

    @property
    def is_minor(self) -> bool:
        return self.age < ADULT

    @property
    def is_senior(self) -> bool:
        return self.age >= SENIOR

    @property
    def is_infant(self) -> bool:
        return self.age < 1

    @property
    def spaced_number(self) -> str:
        return " ".join((self.number[:4], self.number[4:8], self.number[8:]))

    @property
    def abha_is_verified(self) -> bool:
        """By an answer of the ABDM gateway; a check digit that fits verifies nothing."""
        return self.abha_verified_at is not None

    @property
    def dashed_abha(self) -> str:
        """As it is printed on the card: 91-1000-0000-0008."""
        digits = self.abha_number
        return "-".join(filter(None, (digits[:2], digits[2:6], digits[6:10], digits[10:])))

    @property
    def masked_abha(self) -> str:
        """On screens: enough to recognise one's own."""
        return masked_abha(self.abha_number)


def masked_abha(digits: str) -> str:
    """The last four of 14 digits, in the groups of the card; "" without a number."""
    return f"··-····-····-{digits[10:]}" if digits else ""


def age_on(birth_date: date, day: date) -> int:
    """Whole years lived on `day`."""
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before_birthday
