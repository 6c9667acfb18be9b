"""Idempotency: of two requests with one key the second gets the first one's answer.

After draft-ietf-httpapi-idempotency-key-header. The row is made before anything is done, so that of
two at once only one works; the answer is sealed with a key that is derived from the client's.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils import timezone

from accounts.models import KeptAnswer
from accounts.secrets import keyed_hash
from esanjeevani.prepared import prepared_cursor

KEPT_FOR = timedelta(days=1)
AT_WORK_FOR = timedelta(seconds=60)  # after that the first one has died
SHORTEST, LONGEST = 16, 128  # of a key, in characters
# The row of one that has died is taken over.
RESERVE = """
INSERT INTO accounts_keptanswer AS kept (key_hash, request_hash, created_at) VALUES (%s, %s, %s)
ON CONFLICT (key_hash) DO UPDATE
  SET request_hash = excluded.request_hash, created_at = excluded.created_at
  WHERE kept.status IS NULL AND kept.created_at < %s
RETURNING id
"""
# Unless it was taken over meanwhile.
KEEP = "UPDATE accounts_keptanswer SET status = %s, sealed = %s WHERE id = %s AND created_at = %s"


class OtherRequest(Exception):
    """This key was used for another request."""


class StillAtWork(Exception):
    """The first request with this key has not ended yet."""


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
        with prepared_cursor() as cursor:
            cursor.execute(KEEP, [status, sealed, self.row.pk, _adapted(self.row.created_at)])

    def give_up(self) -> None:
        """It failed through a fault of ours: asking again tries again."""
        ours = KeptAnswer.objects.filter(pk=self.row.pk, created_at=self.row.created_at)
        ours.filter(status=None).delete()


def reserve(*, who: str, key: str, request: str) -> Reservation | Answer:
    """The right to answer, or the answer that was given. Raises OtherRequest, StillAtWork.

    `who` sends it; `request` says what is asked, in any words that differ when it differs.
    """
    row = KeptAnswer(
        key_hash=keyed_hash("idempotency", who, key), request_hash=keyed_hash("request", request)
    )
    at, dead = row.created_at, row.created_at - AT_WORK_FOR
    with prepared_cursor() as cursor:
        cursor.execute(RESERVE, [row.key_hash, row.request_hash, _adapted(at), _adapted(dead)])
        reserved = cursor.fetchone()
    if reserved is None:
        return _known(row, key)
    row.pk = reserved[0]
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


def _adapted(at: datetime) -> Any:
    """As the database takes it."""
    return connection.ops.adapt_datetimefield_value(at)


def _cipher(key: str) -> AESGCM:
    return AESGCM(bytes.fromhex(keyed_hash("answer", key)))


def sweep_answers() -> None:
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
