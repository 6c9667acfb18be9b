"""What a patient begins in their own ABHA app: sharing their profile at a desk, finding their records."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Facility, Patient, State
from accounts.models.base import Public
from accounts.models.patients import masked_abha
from accounts.secrets import keyed_hash


class SharedProfile(Public):
    """One person who scanned a health centre's square code in their ABHA app: the desk's list of a day.

    The number is of the facility and day; scanning again on that day gives the same one.
    """

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    number = models.PositiveSmallIntegerField()
    counter = models.CharField(max_length=40, blank=True)
    abha_address = models.CharField("ABHA address", max_length=60)
    abha_number = models.CharField("ABHA number", max_length=14, blank=True)
    name = models.CharField(max_length=120)
    sex = models.CharField(max_length=6, choices=Patient.Sex.choices)
    birth_date = models.DateField()
    birth_date_is_exact = models.BooleanField(default=True)
    phone = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=200, blank=True)
    state = models.ForeignKey(State, on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    taken_at = models.DateTimeField(null=True, blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["day", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "day", "number"], name="consult_sharedprofile_number_once"
            ),
            models.UniqueConstraint(
                fields=["facility", "day", "abha_address"],
                name="consult_sharedprofile_person_once",
            ),
            models.CheckConstraint(
                condition=Q(taken_at=None, taken_by=None, patient=None)
                | Q(taken_at__isnull=False, taken_by__isnull=False, patient__isnull=False),
                name="consult_sharedprofile_taken_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}, {self.day}"

    @property
    def masked_abha(self) -> str:
        return masked_abha(self.abha_number)


class LinkRequest(Public):
    """One search for records from another app, until its code has come: then they are linked.

    `uid` is the reference that the gateway names. The code goes by SMS to the number that we hold;
    it works once, for 10 minutes, and five wrong ones end it.
    """

    CODE_LIFE = timedelta(minutes=10)
    MAX_TRIES = 5

    transaction_id = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    abha_address = models.CharField("ABHA address", max_length=60)
    abha_number = models.CharField("ABHA number", max_length=14, blank=True)
    care_contexts = models.JSONField("consultations offered, then chosen", default=list)
    code_hash = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(tries__lte=5), name="consult_linkrequest_tries_are_bounded"
            )
        ]

    def __str__(self) -> str:
        return f"{self.uid}"

    def hash_of(self, code: str) -> str:
        return keyed_hash("abdm link", str(self.uid), code)

    def try_code(self, code: str) -> bool:
        """Use the code up; whether it was right and in time. One statement counts, so guesses cannot race."""
        now = timezone.now()
        open_one = LinkRequest.objects.filter(
            pk=self.pk,
            confirmed_at=None,
            sent_at__gt=now - self.CODE_LIFE,
            tries__lt=self.MAX_TRIES,
        )
        if not open_one.update(tries=F("tries") + 1):
            return False
        right = LinkRequest.objects.filter(pk=self.pk, code_hash=self.hash_of(code))
        return bool(right.filter(confirmed_at=None).update(confirmed_at=now))
