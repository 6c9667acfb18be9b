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
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import KeptAnswer
from accounts.secrets import keyed_hash

KEPT_FOR = timedelta(days=1)
AT_WORK_FOR = timedelta(seconds=60)  # after that the first one has died
SHORTEST, LONGEST = 16, 128  # of a key, in characters


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

    def keep(self, answer: Answer) -> None:
        nonce = os.urandom(12)
        sealed = nonce + _cipher(self.key).encrypt(nonce, json.dumps(answer.data).encode(), None)
        KeptAnswer.objects.filter(pk=self.row.pk).update(status=answer.status, sealed=sealed)

    def give_up(self) -> None:
        """It failed through a fault of ours: asking again tries again."""
        KeptAnswer.objects.filter(pk=self.row.pk, status=None).delete()


def reserve(*, who: str, key: str, request: str) -> Reservation | Answer:
    """The right to answer, or the answer that was given. Raises OtherRequest, StillAtWork.

    `who` sends it; `request` says what is asked, in any words that differ when it differs.
    """
    row = KeptAnswer(
        key_hash=keyed_hash("idempotency", who, key), request_hash=keyed_hash("request", request)
    )
    dead = timezone.now() - AT_WORK_FOR
    KeptAnswer.objects.filter(key_hash=row.key_hash, status=None, created_at__lt=dead).delete()
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
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
