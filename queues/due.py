"""What time may have made due in the lines: one look, so that a sweep that finds nothing costs no more.

Sweeps run every few seconds, most of them for nothing. A step that is due here looks again by itself:
it may find nothing to do, but one that is not due has none.
"""

from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

LOOK = """
SELECT
  EXISTS (SELECT 1 FROM queue_token WHERE state = 'called'),
  EXISTS (SELECT 1 FROM queue_token token WHERE state = 'waiting' AND told_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM queue_presence presence
      WHERE presence.token_id = token.id AND presence.until > %s)),
  EXISTS (SELECT 1 FROM queue_token WHERE state = 'waiting' AND day < %s),
  EXISTS (SELECT 1 FROM queue_clinicday counter WHERE day = %s AND last_number >= head
    AND NOT EXISTS (SELECT 1 FROM queue_token token WHERE token.clinic_id = counter.clinic_id
      AND token.day = counter.day AND token.number = counter.head AND token.state = 'waiting'))
"""


@dataclass(frozen=True)
class Due:
    calls: bool  # somebody is called, perhaps for too long
    turns: bool  # somebody absent was not told yet that the turn comes near
    days: bool  # somebody waits since an earlier day
    heads: bool  # a line begins further on than where calls begin to look


def look() -> Due:
    """In one statement, planned for today: for any day it would read the tokens from end to end."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    today = connection.ops.adapt_datefield_value(timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [now, today, today])
        calls, turns, days, heads = map(bool, cursor.fetchone())
    return Due(calls, turns, days, heads)
