"""What time may have made due in the lines: one look, so that a sweep that finds nothing costs no more.

Sweeps run every few seconds, most of them for nothing. A step that is due here looks again by itself:
it may find nothing to do, but one that is not due has none.
"""

from dataclasses import dataclass

from django.utils import timezone

from esanjeevani.sql.prepared import ask
from queues.claim import IN_TURN, OF_RANK, ranks_text

RANKS = ranks_text()
# Where somebody is calling, and an absent person of those who go first of their rank was not told yet. Of
# each rank so many as are told in any clinic: whoever is near in the line is near in the rank, too. So the
# sweep does not read everybody who waits, nor lines whose absent people stand far back.
NEAR = f"""
SELECT staffed.clinic_id FROM (
  SELECT DISTINCT clinic_id FROM queue_duty WHERE ended_at IS NULL AND paused_at IS NULL) AS staffed
WHERE EXISTS (SELECT 1 FROM ranks AS rank WHERE EXISTS (
  SELECT 1 FROM (
    SELECT token.id, token.told_at FROM queue_token token
    WHERE {OF_RANK.format(clinic="staffed.clinic_id")} AND token.priority = rank.priority
    ORDER BY {IN_TURN}
    LIMIT (SELECT MAX(near_ahead) + 1 FROM queue_clinic)
  ) AS first
  WHERE first.told_at IS NULL AND NOT EXISTS (SELECT 1 FROM queue_presence presence
    WHERE presence.token_id = first.id AND presence.until > %s)))
"""  # noqa: S608
# The oldest day is asked in the index's order: to find any, a prepared plan would read the table.
LOOK = f"""
{RANKS} SELECT
  EXISTS (SELECT 1 FROM queue_token WHERE state = 'called' AND ended_at IS NULL),
  EXISTS ({NEAR}),
  (SELECT day FROM queue_token WHERE state = 'waiting' AND ended_at IS NULL AND day < %s
    ORDER BY day LIMIT 1) IS NOT NULL,
  EXISTS (SELECT 1 FROM queue_clinicday counter WHERE day = %s AND last_number >= head
    AND NOT EXISTS (SELECT 1 FROM queue_token token WHERE token.clinic_id = counter.clinic_id
      AND token.day = counter.day AND token.number = counter.head AND token.state = 'waiting'))
"""  # noqa: S608


@dataclass(frozen=True)
class Due:
    calls: bool  # somebody is called, perhaps for too long
    turns: bool  # somebody absent may have to be told that the turn is near
    days: bool  # somebody waits since an earlier day
    heads: bool  # a line begins further on than where calls begin to look


def look() -> Due:
    """In one statement."""
    now, today = timezone.now(), timezone.localdate()
    [(calls, turns, days, heads)] = ask(LOOK, [now, today, today]).rows
    return Due(bool(calls), bool(turns), bool(days), bool(heads))


def clinics_near_a_turn() -> list[int]:
    """Those in whose lines somebody absent may have to be told that the turn is near."""
    return [clinic for (clinic,) in ask(f"{RANKS} {NEAR}", [timezone.now()]).rows]
