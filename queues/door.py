"""What decides at the clinic's door, when a token is taken: one look, in one statement."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

# ClinicHours.covers() and the querysets of Token and Duty, side by side.
LOOK = """
SELECT
  EXISTS (SELECT 1 FROM queue_clinichours WHERE clinic_id = %(clinic)s AND weekday = %(weekday)s
    AND opens <= %(time)s AND (closes = %(midnight)s OR closes > %(time)s)),
  (SELECT COUNT(*) FROM queue_token WHERE clinic_id = %(clinic)s AND state = 'waiting'),
  (SELECT COUNT(*) FROM queue_duty
    WHERE clinic_id = %(clinic)s AND ended_at IS NULL AND paused_at IS NULL),
  (SELECT COUNT(*) FROM queue_duty duty
    WHERE clinic_id = %(clinic)s AND ended_at IS NULL AND paused_at IS NULL
    AND EXISTS (SELECT 1 FROM queue_token held
      WHERE held.doctor_id = duty.doctor_id AND held.state IN ('called', 'serving')))
"""


@dataclass(frozen=True)
class Look:
    """One clinic at one moment."""

    is_open: bool  # by its hours
    waiting: int
    doctors: int  # on duty and not paused
    busy: int  # of those: with a patient


def look(clinic_id: int, now: datetime | None = None) -> Look:
    now = timezone.localtime(now)
    adapt = connection.ops.adapt_timefield_value
    asked = {
        "clinic": clinic_id,
        "weekday": now.weekday(),
        "time": adapt(now.time().replace(microsecond=0)),
        "midnight": adapt(datetime.min.time()),
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK, asked)
        is_open, waiting, doctors, busy = cursor.fetchone()
    return Look(bool(is_open), waiting, doctors, busy)
