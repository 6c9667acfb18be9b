"""The claim: the doctor's next patient is found, locked and called by one statement.

It is SQL by hand because it is the hottest statement of the service and each word of it is chosen for
the index `queue_token_in_turn`: the first row of that index is the answer, however many wait behind
it. bench/limits/claims.py runs the same text in pgbench, and shows that it costs the same with a
thousand and with a million people waiting. The same rules stand in queues/wait.py, played ahead.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from queues.models import PRIORITY_RUN, Token

# --- before: may this doctor call, and in which order is it to be? --------------------------------
BEFORE = """
SELECT
  EXISTS (SELECT 1 FROM queue_duty WHERE doctor_id = %(doctor)s AND clinic_id = %(clinic)s
    AND ended_at IS NULL AND paused_at IS NULL),
  EXISTS (SELECT 1 FROM queue_token WHERE doctor_id = %(doctor)s
    AND state IN ('called', 'serving')),
  (SELECT COUNT(*) FROM (SELECT priority FROM queue_token
    WHERE clinic_id = %(clinic)s AND called_at >= %(midnight)s AND priority <> 0 AND NOT comes_first
    ORDER BY called_at DESC LIMIT %(run)s) AS last_calls WHERE priority = 1),
  EXISTS (SELECT 1 FROM queue_token WHERE clinic_id = %(clinic)s AND state = 'waiting'
    AND comes_first),
  EXISTS (SELECT 1 FROM queue_token WHERE clinic_id = %(clinic)s AND state = 'waiting'
    AND NOT comes_first AND yields),
  EXISTS (SELECT 1 FROM queue_token WHERE clinic_id = %(clinic)s AND state = 'waiting')
"""

# --- the claim ------------------------------------------------------------------------------------
# Not before the line's head (actions/heads.py); present; called or seen by no other doctor; at home or
# at a screen that is free (an emergency may break in); not parted from this doctor after a report, nor
# anybody of the same account. OFFSET 0 has the last three asked of one patient after the other until one
# may go: joined, they would walk over everybody who is with a doctor.
FIRST = """
  SELECT token.id FROM queue_token token
  JOIN queue_presence presence ON presence.token_id = token.id
  WHERE token.clinic_id = %(clinic)s AND token.state = 'waiting' AND {whom}
    AND token.number >= (SELECT COALESCE(MAX(head), 0) FROM queue_clinicday
      WHERE clinic_id = %(clinic)s AND day = %(today)s)
    AND presence.until > %(now)s
    AND NOT EXISTS (SELECT 1 FROM queue_token held
      WHERE held.patient_id = token.patient_id AND held.state IN ('called', 'serving')
      LIMIT 1 OFFSET 0)
    AND (token.priority = 0 OR token.brought_by_id IS NULL OR NOT EXISTS (
      SELECT 1 FROM queue_token held
      WHERE held.brought_by_id = token.brought_by_id AND held.state IN ('called', 'serving')
      LIMIT 1 OFFSET 0))
    AND NOT EXISTS (SELECT 1 FROM queue_keptapart apart
      JOIN accounts_patient parted ON parted.id = apart.patient_id
      JOIN accounts_patient this ON this.account_id = parted.account_id
      WHERE apart.doctor_id = %(doctor)s AND this.id = token.patient_id LIMIT 1 OFFSET 0)
  ORDER BY token.comes_first DESC, token.yields, token.priority, token.day, token.number
  LIMIT 1 {lock}
"""
CLAIM = """
UPDATE queue_token SET state = 'called', doctor_id = %(doctor)s, called_at = %(now)s, yields = {no}
WHERE id = {first} RETURNING *
"""
STOP_YIELDING = """
UPDATE queue_token SET yields = {no} WHERE id IN (
  SELECT id FROM queue_token
  WHERE clinic_id = %(clinic)s AND state = 'waiting' AND NOT comes_first AND yields {lock})
"""

ANYBODY = "NOT token.comes_first"
EMERGENCY = "NOT token.comes_first AND NOT token.yields AND token.priority = 0"
PUT_BACK = "token.comes_first"
ORDINARY = "NOT token.comes_first AND NOT token.yields AND token.priority = 2"


@dataclass(frozen=True)
class Before:
    """What must be known before a call."""

    is_on_duty: bool
    holds: bool  # the doctor has a patient already
    run: int  # priority calls in a row
    some_put_back: bool
    some_yield: bool  # missed a call and let one other go first
    anybody: bool  # waits, present or not

    @property
    def turns(self) -> tuple[str, ...]:
        """Who goes before whom; mostly the order of the index says it alone."""
        over = self.run >= PRIORITY_RUN
        return (
            *((EMERGENCY,) if self.some_put_back or over else ()),
            *((PUT_BACK,) if self.some_put_back else ()),
            *((ORDINARY,) if over else ()),
            ANYBODY,
        )


def look_before(clinic_id: int, doctor_id: int) -> Before:
    """In one statement."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {"clinic": clinic_id, "doctor": doctor_id, "midnight": _at(midnight)}
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, asked | {"run": PRIORITY_RUN})
        on_duty, holds, run, *line = cursor.fetchone()
    return Before(bool(on_duty), bool(holds), int(run), *map(bool, line))


def claim(clinic_id: int, doctor_id: int, before: Before) -> Token | None:
    """The patient whose turn it is, called by this doctor; None when nobody who may go is present.

    Doctors who claim at the same moment do not wait for each other. Raises IntegrityError when the
    patient or the doctor was taken in another line at that moment: behind it stand unique constraints.
    """
    asked = {
        "clinic": clinic_id,
        "doctor": doctor_id,
        "now": _at(timezone.now()),
        "today": connection.ops.adapt_datefield_value(timezone.localdate()),
    }
    found = list(Token.objects.raw(claim_text(before.turns), asked))
    if found and before.some_yield:
        with connection.cursor() as cursor:
            cursor.execute(_text(STOP_YIELDING, lock="FOR UPDATE"), asked)
    return found[0] if found else None


def claim_text(turns: tuple[str, ...] = (ANYBODY,)) -> str:
    """The statement; of several turns a later one is looked for only when the earlier gave nobody."""
    firsts = [f"({_text(FIRST, whom=turn, lock='FOR UPDATE OF token')})" for turn in turns]
    first = f"COALESCE({', '.join(firsts)})" if len(firsts) > 1 else firsts[0]
    return _text(CLAIM, first=first)


def _text(text: str, lock: str = "", **parts: str) -> str:
    """SQLite has locked everybody else out already: the transaction is an immediate one."""
    skips = connection.features.has_select_for_update_skip_locked
    return text.format(lock=f"{lock} SKIP LOCKED" if skips else "", no="FALSE", **parts)


def _at(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
