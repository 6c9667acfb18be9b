"""Idempotency: of two requests with one key the second gets the first one's answer.

After draft-ietf-httpapi-idempotency-key-header. The row is made before anything is done, so that of
two at once only one works; the answer is sealed with a key that is derived from the client's.
"""

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import KeptAnswer
from accounts.models.limits import Counting, counted
from accounts.secrets import keyed_hash
from esanjeevani.prepared import ask
from esanjeevani.steps import Steps

KEPT_FOR = timedelta(days=1)
AT_WORK_FOR = timedelta(seconds=60)  # after that the first one has died
SHORTEST, LONGEST = 16, 128  # of a key, in characters
# Only within the limit; the row of one that has died is taken over.
RESERVE = Steps(
    limits=counted(1),
    reserved="""
INSERT INTO accounts_keptanswer AS kept (key_hash, request_hash, created_at)
SELECT %(key)s, %(request)s, %(at)s FROM limits WHERE NOT is_over
ON CONFLICT (key_hash) DO UPDATE
  SET request_hash = excluded.request_hash, created_at = excluded.created_at
  WHERE kept.status IS NULL AND kept.created_at < %(dead)s
RETURNING id
""",
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
    status: int
    data: Any


@dataclass(frozen=True)
class Reservation:
    """The right to do the work, once."""

    row: KeptAnswer
    key: str

    def keep(self, status: int, data: Any) -> None:
        nonce = os.urandom(12)
        text = json.dumps(data, cls=DjangoJSONEncoder).encode()
        sealed = nonce + _cipher(self.key).encrypt(nonce, text, None)
        ask(KEEP, [status, sealed, self.row.pk, self.row.created_at])

    def give_up(self) -> None:
        """It failed through a fault of ours: asking again tries again."""
        ours = KeptAnswer.objects.filter(pk=self.row.pk, created_at=self.row.created_at)
        ours.filter(status=None).delete()


def reserve(*, who: str, key: str, request: str, limit: Counting) -> Reservation | Answer:
    """The right to answer, or the answer that was given. Raises Throttled, OtherRequest, StillAtWork.

    `who` sends it; `request` says what is asked, in any words that differ when it differs. It is
    counted for `limit` in the same statement.
    """
    row = KeptAnswer(
        key_hash=keyed_hash("idempotency", who, key), request_hash=keyed_hash("request", request)
    )
    at = {"at": row.created_at, "dead": row.created_at - AT_WORK_FOR}
    what = {"key": row.key_hash, "request": row.request_hash}
    ((is_over, row.pk),) = RESERVE.ask({**limit.values, **what, **at})
    if is_over:
        raise Throttled(limit.seconds_left)
    if row.pk is None:
        return _known(row, key)
    return Reservation(row, key)


def _known(asked: KeptAnswer, key: str) -> Answer:
    kept = KeptAnswer.objects.filter(key_hash=asked.key_hash).first()
    if kept is None or (kept.status is None and kept.request_hash == asked.request_hash):
        raise StillAtWork
    if kept.request_hash != asked.request_hash:
        raise OtherRequest
    try:
        sealed = bytes(kept.sealed or b"")
        opened = _cipher(key).decrypt(sealed[:12], sealed[12:], None)
    except (InvalidTag, ValueError):  # the deployment's pepper has changed since
        raise OtherRequest from None
    return Answer(kept.status or 200, json.loads(opened))


def _cipher(key: str) -> AESGCM:
    return AESGCM(bytes.fromhex(keyed_hash("answer", key)))


def sweep_answers() -> None:
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
