"""The claim: the doctor's next patient is found, locked and called by one statement.

It is SQL by hand because it is the hottest statement of the service and each word of it is chosen for
the index `queue_token_in_turn`: the first row of each rank stands where that index is entered, however
many wait behind it and however many were called before it. bench/limits/claims.py runs the same text
in pgbench, and shows that it costs the same with a thousand and with a million people waiting, and
beside a long transaction. The same rules stand in queues/wait.py, played ahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import BigAutoField, UUIDField
from django.utils import timezone

from esanjeevani.sql.composed import Composed, Question
from esanjeevani.sql.steps import Steps
from esanjeevani.today import midnight
from queues.models import PRIORITY_RUN, Clinic, Token

# --- before: may this doctor call, and in which order is it to be? --------------------------------
CLINIC = Composed(lambda clinic: Clinic.objects.filter(uid=clinic), clinic=UUIDField())
BEFORE = """
SELECT
  EXISTS (SELECT 1 FROM queue_duty WHERE doctor_id = %(doctor)s AND clinic_id = clinic.id
    AND ended_at IS NULL AND paused_at IS NULL),
  EXISTS (SELECT 1 FROM queue_token WHERE doctor_id = %(doctor)s
    AND state IN ('called', 'serving')),
  (SELECT COUNT(*) FROM (SELECT priority FROM queue_token
    WHERE clinic_id = clinic.id AND called_at >= %(midnight)s AND priority <> 0 AND NOT comes_first
    ORDER BY called_at DESC LIMIT %(run)s) AS last_calls WHERE priority = 1),
  EXISTS (SELECT 1 FROM queue_token WHERE clinic_id = clinic.id AND state = 'waiting'
    AND NOT comes_first AND yields),
  EXISTS (SELECT 1 FROM queue_token WHERE clinic_id = clinic.id AND state = 'waiting'),
  clinic.*
FROM clinic
"""

# --- the claim ------------------------------------------------------------------------------------
# Who is called before whom: comes_first, yields, priority. A rank is asked if the one before gave nobody.
EMERGENCY = ("FALSE", "FALSE", "0")
PUT_BACK = tuple(("TRUE", "FALSE", priority) for priority in "012")
PRIORITY = ("FALSE", "FALSE", "1")
ORDINARY = ("FALSE", "FALSE", "2")
YIELDING = tuple(("FALSE", "TRUE", priority) for priority in "012")
USUAL = (EMERGENCY, *PUT_BACK, PRIORITY, ORDINARY, *YIELDING)
AFTER_A_RUN = (EMERGENCY, *PUT_BACK, ORDINARY, PRIORITY, *YIELDING)


# Who waits in one clinic's line in one rank, from its index; the priority each statement says itself.
OF_RANK = """token.clinic_id = {clinic} AND token.state = 'waiting'
    AND token.comes_first = rank.comes_first AND token.yields = rank.yields"""
IN_TURN = "token.priority, token.day, token.number"


def ranks_text(ranks: tuple[tuple[str, str, str], ...] = USUAL) -> str:
    """Before a statement: the ranks as a table in their turn."""
    rows = ", ".join(f"({turn}, {', '.join(rank)})" for turn, rank in enumerate(ranks))
    return f"WITH ranks (turn, comes_first, yields, priority) AS (VALUES {rows})"


# The first of one rank: not before the line's head (actions/heads.py), where the index is entered, so
# that whoever was called before is not even passed by; present; called or seen by no other doctor; at
# home or at a screen that is free (an emergency may break in); not parted from this doctor after a
# report, nor anybody of the same account. OFFSET 0 has the last four asked of one patient after the
# other until one may go: joined, they would walk over everybody who is present or with a doctor. The
# rank's priority stands in both comparisons and in the order, never as an equality: next to one the
# index would be entered at the rank's first number, whoever is over by now, and another index would do.
FIRST = """
  SELECT token.id FROM queue_token token
  WHERE {of_rank}
    AND token.priority <= rank.priority AND ({in_turn})
      >= (rank.priority, (SELECT day FROM head), (SELECT number FROM head))
    AND EXISTS (SELECT 1 FROM queue_presence presence
      WHERE presence.token_id = token.id AND presence.until > %(now)s LIMIT 1 OFFSET 0)
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
  ORDER BY {in_turn}
  LIMIT 1 {lock}
"""
# The inner LIMIT, of more than there are, keeps a rank from being asked twice.
CLAIM = """
{ranks}, head (day, number) AS (
  SELECT COALESCE(MAX(day), '0001-01-01'), COALESCE(MAX(head), 0) FROM queue_clinicday
  WHERE clinic_id = %(clinic)s AND day = %(today)s AND head > 0)
UPDATE queue_token SET state = 'called', doctor_id = %(doctor)s, called_at = %(now)s, yields = FALSE
WHERE id = (
  SELECT id FROM (
    SELECT ({first}) AS id FROM (SELECT * FROM ranks ORDER BY turn) AS rank LIMIT 99
  ) AS firsts
  WHERE id IS NOT NULL LIMIT 1)
RETURNING {columns}
"""
# Once somebody was called.
STOP_YIELDING = """
UPDATE queue_token SET yields = FALSE WHERE id IN (
  SELECT id FROM queue_token
  WHERE clinic_id = %(clinic)s AND state = 'waiting' AND NOT comes_first AND yields
    AND id <> (SELECT id FROM called) {lock})
"""
TOKENS = Composed(lambda token: Token.objects.filter(pk=token), token=BigAutoField())


@dataclass(frozen=True)
class Before:
    """What must be known before a call: the doctor's duty and the line, as one look found them."""

    clinic: Clinic
    is_on_duty: bool
    holds: bool  # the doctor has a patient already
    run: int  # priority calls in a row
    some_yield: bool  # missed a call and let one other go first
    anybody: bool  # waits, present or not

    @property
    def ranks(self) -> tuple[tuple[str, str, str], ...]:
        return AFTER_A_RUN if self.run >= PRIORITY_RUN else USUAL


class Beside(NamedTuple):
    """What another app does with a call, as more CTEs of the statement that calls: they may read `called`."""

    steps: tuple[tuple[str, str], ...] = ()
    answer: str = "SELECT 1"  # a row of columns that come after the token's


NOTHING = Beside()


def before_a_call(whose: int, clinic: UUID) -> Question:
    """How the clinic stands for the doctor with the key `whose`; there is none where it does not."""
    asked = {"doctor": whose, "midnight": midnight(), "run": PRIORITY_RUN}
    return _looking().asked(asked | CLINIC.step_values(clinic=clinic), _read_before)


@cache
def _looking() -> Steps:
    return Steps(BEFORE, clinic=CLINIC.as_step())


def _read_before(found: Sequence[Sequence[Any]]) -> list[Before]:
    return [
        Before(CLINIC.row_of(clinic), bool(on_duty), bool(holds), run, bool(yields), bool(anybody))
        for on_duty, holds, run, yields, anybody, *clinic in found
    ]


def claim(
    doctor_id: int, before: Before, beside: Beside = NOTHING, **values: Any
) -> tuple[Token, Sequence[Any]] | None:
    """The patient whose turn it is, called by this doctor; None when nobody who may go is present.

    With it what stands `beside`, which `values` are for, and what that answers. Doctors who claim at
    the same moment do not wait for each other. Raises IntegrityError when the patient or the doctor
    was taken in another line at that moment: behind it stand unique constraints.
    """
    asked = {
        "clinic": before.clinic.pk,
        "doctor": doctor_id,
        "now": timezone.now(),
        "today": timezone.localdate(),
    }
    found = _claiming(before.ranks, before.some_yield, beside).ask(asked | values)
    if not found:
        return None
    token = TOKENS.row_of(found[0])
    token.clinic = before.clinic
    return token, found[0][len(Token._meta.concrete_fields) :]


@lru_cache
def _claiming(ranks: tuple[tuple[str, str, str], ...], some_yield: bool, beside: Beside) -> Steps:
    steps = {"called": claim_text(ranks)}
    if some_yield:
        steps["yielded"] = STOP_YIELDING.format(lock=_lock("FOR UPDATE"))
    answer = f"SELECT called.*, beside.* FROM called CROSS JOIN ({beside.answer}) AS beside"  # noqa: S608
    return Steps(answer, **steps, **dict(beside.steps))


@cache
def claim_text(ranks: tuple[tuple[str, str, str], ...] = USUAL) -> str:
    """The statement; of several ranks a later one is asked only when the earlier gave nobody."""
    columns = (str(field.column) for field in Token._meta.concrete_fields)
    first = FIRST.format(
        of_rank=OF_RANK.format(clinic="%(clinic)s"),
        in_turn=IN_TURN,
        lock=_lock("FOR UPDATE OF token"),
    )
    return CLAIM.format(ranks=ranks_text(ranks), first=first, columns=", ".join(columns))


def _lock(words: str) -> str:
    """SQLite has locked everybody else out already: the transaction is an immediate one."""
    skips = connection.features.has_select_for_update_skip_locked
    return f"{words} SKIP LOCKED" if skips else ""
