"""Idempotency: of two requests with one key the second gets the first one's answer.

After draft-ietf-httpapi-idempotency-key-header. The row is made before anything is done, so that of
two at once only one works; the answer is sealed with a key that is derived from the client's.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import KeptAnswer
from accounts.models.limits import Counting, counted
from accounts.secrets import keyed_hash
from esanjeevani.sql.prepared import ask
from esanjeevani.sql.steps import Steps

KEPT_FOR = timedelta(days=1)
AT_WORK_FOR = timedelta(seconds=60)  # after that the first one has died
SHORTEST, LONGEST = 16, 128  # of a key, in characters
OF_A_KEY = 40  # digits of its hash, behind whose it is: 160 bits
# Only within the limit; the row of one that has died is taken over.
RESERVED = """
INSERT INTO accounts_keptanswer AS kept (key_hash, request_hash, created_at)
SELECT {key}, %(request)s, %(at)s FROM limits{and_who} WHERE NOT is_over
ON CONFLICT (key_hash) DO UPDATE
  SET request_hash = excluded.request_hash, created_at = excluded.created_at
  WHERE kept.status IS NULL AND kept.created_at < %(dead)s
RETURNING id
"""
RESERVE = Steps(
    limits=counted(1),
    reserved=RESERVED.format(key="%(key)s", and_who=""),
    answer="SELECT is_over, (SELECT id FROM reserved) FROM limits",
)
# Unless it was taken over meanwhile.
KEEP = "UPDATE accounts_keptanswer SET status = %s, sealed = %s WHERE id = %s AND created_at = %s"


class OtherRequest(Exception):
    """This key was used for another request."""


class StillAtWork(Exception):
    """The first request with this key has not ended yet."""


class Throttled(Exception):
    """Too many requests; `seconds` until it opens again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Answer:
    """What was said, with the headers that belong to it: where the new row is, which version this is."""

    status: int
    data: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Once:
    """A request that is answered once: the client's key, and what is asked.

    `request` is any words that differ when what is asked differs.
    """

    key: str
    request: str
    at: datetime = field(default_factory=timezone.now)

    def values(self, who: str = "") -> dict[str, Any]:
        """What RESERVED has places for; without `who` another step says who it is."""
        return {
            "key": f"{who}:{keyed_hash('idempotency', self.key)[:OF_A_KEY]}",
            "request": self.request_hash,
            "at": self.at,
            "dead": self.at - AT_WORK_FOR,
        }

    @property
    def request_hash(self) -> str:
        return keyed_hash("request", self.request)


@dataclass(frozen=True)
class Reservation:
    """The right to do the work, once."""

    row: int
    once: Once

    def keep(self, answer: Answer) -> None:
        nonce = os.urandom(12)
        text = json.dumps([answer.data, answer.headers], cls=DjangoJSONEncoder).encode()
        sealed = nonce + _cipher(self.once.key).encrypt(nonce, text, None)
        ask(KEEP, [answer.status, sealed, self.row, self.once.at])

    def give_up(self) -> None:
        """Nothing was done: asking again tries again."""
        ours = KeptAnswer.objects.filter(pk=self.row, created_at=self.once.at)
        ours.filter(status=None).delete()


@dataclass(frozen=True)
class Counted:
    """A request that was counted for its limit and, with a key, whether it is the first with that."""

    seconds: int  # to wait; 0 within the limit
    once: Once | None = None
    who: str = ""
    row: int | None = None  # that was reserved

    @property
    def reservation(self) -> Reservation | None:
        return Reservation(self.row, self.once) if self.row and self.once else None

    def right_to_answer(self) -> Reservation | Answer | None:
        """None without a key. Raises Throttled, OtherRequest, StillAtWork."""
        if self.seconds:
            raise Throttled(self.seconds)
        if self.once is None or self.row is not None:
            return self.reservation
        return _known(self.once, self.who)


def reserve(*, who: str, once: Once, limit: Counting) -> Counted:
    """The right to answer what `who` asks, unless somebody has it; counted by the same statement.

    `who` are at most 20 characters that tell no address.
    """
    ((is_over, row),) = RESERVE.ask(limit.values | once.values(who))
    return Counted(limit.seconds_left if is_over else 0, once, who, row)


def _known(once: Once, who: str) -> Answer:
    kept = KeptAnswer.objects.filter(key_hash=once.values(who)["key"]).first()
    if kept is None or (kept.status is None and kept.request_hash == once.request_hash):
        raise StillAtWork
    if kept.request_hash != once.request_hash:
        raise OtherRequest
    try:
        sealed = bytes(kept.sealed or b"")
        opened = _cipher(once.key).decrypt(sealed[:12], sealed[12:], None)
    except (InvalidTag, ValueError):  # the deployment's pepper has changed since
        raise OtherRequest from None
    data, headers = json.loads(opened)
    return Answer(kept.status or 200, data, headers)


def _cipher(key: str) -> AESGCM:
    return AESGCM(bytes.fromhex(keyed_hash("whole answer", key)))


def sweep_answers() -> None:
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
