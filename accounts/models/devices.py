from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_otp.models import Device

from accounts.secrets import keyed_hash
from esanjeevani.sql.prepared import ask

CODE_LIFE = timedelta(minutes=5)
MAX_TRIES = 5
LOCK = timedelta(minutes=15)
# Seconds to wait after the n-th wrong code.
WAITS = {1: 0, 2: 2, 3: 5, 4: 10, 5: 0}

# A fresh code, replacing the last one: no row while the number is locked, or a step `limits` says so.
NEW_CODE = """
INSERT INTO accounts_phonedevice AS device (name, confirmed, phone, code_hash, sent_at, tries, next_try_at)
SELECT 'sms', TRUE, %(phone)s, %(hash)s, %(now)s, 0, %(now)s
WHERE NOT EXISTS (SELECT 1 FROM limits WHERE is_over)
ON CONFLICT (phone) DO UPDATE SET code_hash = excluded.code_hash, sent_at = excluded.sent_at, tries = 0,
  next_try_at = excluded.next_try_at, locked_until = NULL
  WHERE device.locked_until IS NULL OR device.locked_until <= %(now)s
RETURNING id
"""
_WAITS = " ".join(f"WHEN {tries - 1} THEN %(wait{tries})s" for tries in WAITS)
# One statement counts the try, compares and uses up: whoever guesses in parallel waits for the row and
# is counted too.
TRY = f"""
UPDATE accounts_phonedevice SET
  tries = CASE code_hash WHEN %(right)s THEN 0 ELSE tries + 1 END,
  next_try_at = CASE tries {_WAITS} ELSE %(now)s END,
  locked_until = CASE WHEN code_hash <> %(right)s AND tries = {MAX_TRIES - 1} THEN %(lock)s END,
  code_hash = CASE code_hash WHEN %(right)s THEN '' ELSE code_hash END
WHERE phone = %(phone)s AND code_hash <> '' AND tries < {MAX_TRIES} AND sent_at > %(oldest)s
  AND next_try_at <= %(now)s AND (locked_until IS NULL OR locked_until <= %(now)s)
"""  # noqa: S608 - numbers of ours
TRIED = "code_hash = '' AS is_right, tries"


def try_values(phone: str, code: str, now: datetime) -> dict[str, Any]:
    waits = {f"wait{n}": now + timedelta(seconds=seconds) for n, seconds in WAITS.items()}
    return {
        "phone": phone,
        "right": keyed_hash("otp", phone, code),
        "now": now,
        "oldest": now - CODE_LIFE,
        "lock": now + LOCK,
        **waits,
    }


class CodeRefused(Exception):
    """A one-time code was not accepted. `reason` is one of wrong, expired, wait, locked."""

    def __init__(self, reason: str, seconds: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


class PhoneDevice(Device):
    """One mobile number that codes are sent to, with the hash of the code last sent.

    A code lives 5 minutes and works once. Tries are counted by one conditional UPDATE, so that
    parallel guesses cannot pass the limit. It belongs to a number; the account of that number is
    made only when a code was right.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    phone = models.CharField(max_length=16, unique=True)
    code_hash = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(tries__lte=MAX_TRIES), name="accounts_phonedevice_tries_are_bounded"
            )
        ]

    def __str__(self) -> str:
        return self.phone

    def verify_token(self, token: str) -> bool:
        """django-otp's question; the reason for a no is what try_code() raises."""
        try:
            self.try_code(token)
        except CodeRefused:
            return False
        return True

    def try_code(self, code: str) -> None:
        """Use the code up. Raises CodeRefused. Needs the number only, so the row is not read before."""
        now = timezone.now()
        tried = ask(f"{TRY} RETURNING {TRIED}", try_values(self.phone, code, now)).rows
        self.judge(now, *tried[0][:2] if tried else (None, None))

    def judge(self, now: datetime, is_right: bool | None, tries: int | None) -> None:
        """What TRIED said, None where no try was allowed. Raises CodeRefused unless the code was right."""
        if tries is None:
            raise self._why_not(now)
        if is_right:
            return
        if tries >= MAX_TRIES:
            raise CodeRefused("locked", int(LOCK.total_seconds()))
        raise CodeRefused("wrong", WAITS[tries])

    def _why_not(self, now: datetime) -> CodeRefused:
        known = type(self).objects.filter(phone=self.phone).first()
        if known is None:
            return CodeRefused("expired")
        if known.locked_until and known.locked_until > now:
            return CodeRefused("locked", ceil((known.locked_until - now).total_seconds()))
        if not known.code_hash or known.sent_at <= now - CODE_LIFE:
            return CodeRefused("expired")
        return CodeRefused("wait", ceil((known.next_try_at - now).total_seconds()))

    def generate_challenge(self) -> Any:
        raise NotImplementedError("Codes are sent by accounts.actions.send_code.")
