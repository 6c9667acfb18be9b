from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import District, Facility, Patient, Speciality, State
from accounts.models.base import Named, Public, Serves
from esanjeevani.sql.prepared import ask

MIDNIGHT = time(0, 0)
# Locks the row of the clinic's day until the transaction ends. No number where `most` are given.
NEXT_NUMBER = """
INSERT INTO queue_clinicday AS counter (clinic_id, day, last_number, head)
SELECT %(clinic)s, %(day)s, 1, 0 WHERE %(most)s > 0
ON CONFLICT (clinic_id, day) DO UPDATE SET last_number = counter.last_number + 1
WHERE counter.last_number < %(most)s
RETURNING last_number
"""
NO_END = 2**31 - 1


def must_be_in_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("A number is taken in the transaction that inserts its token.")


class Clinic(Named, Public):
    """One waiting line: an outpatient clinic of a state, or one speciality of a hub."""

    Serves = Serves

    state = models.ForeignKey(State, on_delete=models.PROTECT, related_name="clinics")
    district = models.ForeignKey(District, on_delete=models.PROTECT, null=True, blank=True)
    facility = models.ForeignKey(
        Facility, on_delete=models.PROTECT, null=True, blank=True, related_name="clinics"
    )
    speciality = models.ForeignKey(Speciality, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    takes_opd = models.BooleanField(
        "open to patients at home", default=True, help_text="Otherwise for health centres only."
    )
    serves = models.CharField(max_length=6, choices=Serves.choices, default=Serves.ALL)
    min_age = models.PositiveSmallIntegerField(default=0)
    max_age = models.PositiveSmallIntegerField(default=130)
    daily_limit = models.PositiveIntegerField("tokens a day", default=300)
    waiting_limit = models.PositiveIntegerField("people waiting at once", default=100)
    call_window = models.PositiveIntegerField("seconds to answer a call", default=120)
    usual_minutes = models.PositiveSmallIntegerField("usual minutes per consultation", default=7)
    near_ahead = models.PositiveSmallIntegerField(
        "SMS when this many are ahead", default=5, help_text="To people whose page is closed."
    )

    # By the hours, as of when this row was read; None where that was not asked with it.
    open_when_read: bool | None = None

    class Meta(Named.Meta):
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_age__lte=F("max_age")), name="queue_clinic_ages_in_order"
            )
        ]

    def serves_patient(self, patient: Patient) -> bool:
        return (
            self.serves in (self.Serves.ALL, patient.sex)
            and self.min_age <= patient.age <= self.max_age
        )

    @cached_property
    def opening_hours(self) -> list["ClinicHours"]:
        """As of when this row was first asked; whoever reads many clinics sets them all at once."""
        return list(self.hours.all())

    def is_open(self, now: datetime | None = None) -> bool:
        if now is None and self.open_when_read is not None:
            return self.open_when_read
        return any(hours.covers(now) for hours in self.opening_hours)

    def next_opening(self, now: datetime | None = None) -> datetime | None:
        """The next time it opens within a week, in local time; None when it has no hours."""
        now = timezone.localtime(now)
        openings = (
            opening
            for ahead in range(8)
            for hours in self.opening_hours
            if (opening := hours.opening_on(now.date() + timedelta(days=ahead))) and opening > now
        )
        return min(openings, default=None)


class ClinicHoursQuerySet(models.QuerySet["ClinicHours"]):
    def covering(self, weekday: Any, time_of_day: Any) -> "ClinicHoursQuerySet":
        """As ClinicHours.covers(); both may be slots."""
        ends_later = Q(closes=MIDNIGHT) | Q(closes__gt=time_of_day)
        return self.filter(ends_later, weekday=weekday, opens__lte=time_of_day)


class ClinicHours(models.Model):
    """One stretch of one weekday in which a clinic is open. A clinic may have several a day."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)
    opens = models.TimeField()
    closes = models.TimeField(help_text="00:00 means midnight at the end of the day.")

    objects = ClinicHoursQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "clinic hours"
        ordering = ["weekday", "opens"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "weekday", "opens"], name="queue_clinichours_opens_once"
            ),
            models.CheckConstraint(
                condition=Q(opens__lt=F("closes")) | Q(closes=MIDNIGHT),
                name="queue_clinichours_opens_before_closing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"

    def covers(self, now: datetime | None = None) -> bool:
        now = timezone.localtime(now)
        return (
            now.weekday() == self.weekday
            and self.opens <= now.time()
            and (self.closes == MIDNIGHT or now.time() < self.closes)
        )

    def opening_on(self, day: date) -> datetime | None:
        if day.weekday() != self.weekday:
            return None
        return timezone.make_aware(datetime.combine(day, self.opens))


class HubLinkQuerySet(models.QuerySet["HubLink"]):
    def in_force(self, day: date | None = None) -> "HubLinkQuerySet":
        """Valid on `day`, today unless said otherwise; the last day is a whole one."""
        day = day or timezone.localdate()
        lasts = Q(valid_until=None) | Q(valid_until__gte=day)
        return self.filter(lasts, valid_from__lte=day, clinic__is_active=True)


class HubLink(models.Model):
    """One spoke facility may bring patients before one hub clinic, for a time.

    Hub and spoke are no kinds of facility: a primary health centre is hub for its sub-centres and
    spoke for the specialities it lacks.
    """

    spoke = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="hub_links")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="hub_links")
    priority = models.PositiveSmallIntegerField(
        default=1, help_text="Of hubs with the same expected wait, 1 is asked first."
    )
    valid_from = models.DateField(default=timezone.localdate)
    valid_until = models.DateField(
        null=True, blank=True, help_text="The last day; empty: for good."
    )

    objects = HubLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["spoke", "clinic"], name="queue_hublink_once_per_pair"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="queue_hublink_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spoke} → {self.clinic}"


class ClinicDay(models.Model):
    """One clinic on one day of service: the counter that token numbers come from."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="days")
    day = models.DateField()
    last_number = models.PositiveIntegerField(default=0)
    head = models.PositiveIntegerField(
        default=0, help_text="Nobody waits with a smaller number: here a call begins to look."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "day"], name="queue_clinicday_once")
        ]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.day}: {self.last_number}"

    @classmethod
    def next_number(cls, clinic: Clinic, day: date) -> int:
        """The next number of this clinic and day: 1, 2, 3 … without a gap.

        One statement; the row stays locked until the caller's transaction ends, so a number that
        is rolled back is given to the next patient and none is given twice.
        """
        must_be_in_transaction()
        asked = {"clinic": clinic.pk, "day": day, "most": NO_END}
        [(number,)] = ask(NEXT_NUMBER, asked).rows
        return int(number)
