"""What really flowed in a call, as its pages say, and the sums that tell how it was conducted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from consult.models import CallEvent
from consult.people import Role, patients_seat
from esanjeevani.sql.prepared import ask

CLOCKS_DIFFER_BY = timedelta(seconds=5)
# SQL by hand: seconds and their sum only grow, whatever comes late or twice. So nothing is locked: of
# two reports at the same time one sees the other's seconds, and its sum stays.
KEEP = """
INSERT INTO consult_callleg AS leg
  (consultation_id, by_id, role, page, other, video_seconds, sound_seconds, reported_at)
VALUES {rows}
ON CONFLICT (consultation_id, role, page, other) DO UPDATE SET
  video_seconds = CASE WHEN excluded.video_seconds > leg.video_seconds
    THEN excluded.video_seconds ELSE leg.video_seconds END,
  sound_seconds = CASE WHEN excluded.sound_seconds > leg.sound_seconds
    THEN excluded.sound_seconds ELSE leg.sound_seconds END,
  reported_at = excluded.reported_at
"""
LEG = "(%s, %s, %s, %s, %s, %s, %s, %s)"
# The seconds that the doctor and the patient's seat both received: the lesser of the two. Neither side
# alone can make a talk longer than it was, and one who saw while the other did not was not face to face.
SUM_UP = """
UPDATE consult_consultation SET
  video_seconds = CASE WHEN video_seconds < way.video THEN way.video ELSE video_seconds END,
  sound_seconds = CASE WHEN sound_seconds < way.sound THEN way.sound ELSE sound_seconds END
FROM (
  SELECT MIN(video) AS video, MIN(sound) AS sound FROM (
    SELECT SUM(video_seconds) AS video, SUM(sound_seconds) AS sound FROM consult_callleg
    WHERE consultation_id = %s AND (role = %s AND other = %s OR role = %s AND other = %s)
    GROUP BY role
  ) AS ways HAVING COUNT(*) = 2
) AS way
WHERE id = %s AND (video_seconds < way.video OR sound_seconds < way.sound)
"""


@dataclass(frozen=True)
class Flow:
    """Whole seconds that one page received from one other participant since it was opened."""

    other: str
    video_seconds: int
    sound_seconds: int


def report_flow(*, came: CallEvent, since: datetime, flows: Iterable[Flow]) -> None:
    """Keep what the page that came received so far and sum it up; `since` is came_first() of it.

    Again, late or out of order changes nothing. No page can have received for longer than it was there,
    whatever it says. Not in a transaction: a sum is read after its parts are there for others too.
    """
    now = timezone.now()
    longest = int((now - since + CLOCKS_DIFFER_BY).total_seconds())
    values: list[Any] = []
    for flow in flows:
        seconds = [min(flow.video_seconds, longest), min(flow.sound_seconds, longest)]
        values += [
            came.consultation_id,
            came.by_id,
            came.role,
            came.page,
            flow.other,
            *seconds,
            now,
        ]
    rows = ", ".join([LEG] * (len(values) // LEG.count("%s")))
    doctor, patient = str(Role.DOCTOR), str(patients_seat(came.consultation))
    talk = came.consultation_id
    ask(KEEP.format(rows=rows), values)
    ask(SUM_UP, [talk, doctor, patient, patient, doctor, talk])
