from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django_otp.models import Device

from accounts.secrets import keyed_hash, new_code
from esanjeevani.prepared import prepared_cursor

CODE_LIFE = timedelta(minutes=5)
MAX_TRIES = 5
LOCK = timedelta(minutes=15)
# Seconds to wait after the n-th wrong code.
WAITS = {1: 0, 2: 2, 3: 5, 4: 10, 5: 0}


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

    @classmethod
    def new_challenge(cls, phone: str, now: datetime) -> str | None:
        """A fresh code for `phone`, replacing the last one; None while the number is locked."""
        code = new_code()
        at = connection.ops.adapt_datetimefield_value(now)
        table = connection.ops.quote_name(cls._meta.db_table)
        with prepared_cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (name, confirmed, phone, code_hash, sent_at, tries, next_try_at)"  # noqa: S608
                " VALUES ('sms', %(yes)s, %(phone)s, %(hash)s, %(at)s, 0, %(at)s)"
                " ON CONFLICT (phone) DO UPDATE SET code_hash = excluded.code_hash,"
                " sent_at = excluded.sent_at, tries = 0, next_try_at = excluded.next_try_at,"
                f" locked_until = NULL WHERE {table}.locked_until IS NULL"
                f" OR {table}.locked_until <= %(at)s RETURNING id",
                {"yes": True, "phone": phone, "hash": keyed_hash("otp", phone, code), "at": at},
            )
            return code if cursor.fetchone() else None

    def verify_token(self, token: str) -> bool:
        """django-otp's question; the reason for a no is what try_code() raises."""
        try:
            self.try_code(token)
        except CodeRefused:
            return False
        return True

    def try_code(self, code: str) -> int | None:
        """Use the code up; returns the id of the number's account, if it has one. Raises CodeRefused.

        One statement counts the try, compares and uses up: whoever guesses in parallel waits for
        the row and is counted too. Needs the number only, so the row is not read before.
        """
        now = timezone.now()
        tried = self._try(keyed_hash("otp", self.phone, code), now)
        if tried is None:
            raise self._why_not(now)
        is_right, tries, account_id = tried
        if is_right:
            return account_id
        if tries >= MAX_TRIES:
            raise CodeRefused("locked", int(LOCK.total_seconds()))
        raise CodeRefused("wrong", WAITS[tries])

    def _try(self, right: str, now: datetime) -> tuple[bool, int, int | None] | None:
        """Whether the code was right, the tries so far, the account; None when no try is allowed now."""
        adapt = connection.ops.adapt_datetimefield_value
        waits = " ".join(f"WHEN {tries - 1} THEN %(wait{tries})s" for tries in WAITS)
        table = connection.ops.quote_name(self._meta.db_table)
        with prepared_cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET tries = CASE code_hash WHEN %(right)s THEN 0 ELSE tries + 1 END,"  # noqa: S608
                f" next_try_at = CASE tries {waits} ELSE %(now)s END,"
                " locked_until = CASE WHEN code_hash <> %(right)s AND tries = %(last)s THEN %(lock)s END,"
                " code_hash = CASE code_hash WHEN %(right)s THEN '' ELSE code_hash END"
                " WHERE phone = %(phone)s AND code_hash <> '' AND tries <= %(last)s"
                " AND sent_at > %(oldest)s AND next_try_at <= %(now)s"
                " AND (locked_until IS NULL OR locked_until <= %(now)s)"
                " RETURNING code_hash, tries,"
                " (SELECT id FROM accounts_user WHERE accounts_user.phone = %(phone)s)",
                {
                    "right": right,
                    "phone": self.phone,
                    "last": MAX_TRIES - 1,
                    "now": adapt(now),
                    "oldest": adapt(now - CODE_LIFE),
                    "lock": adapt(now + LOCK),
                    **{
                        f"wait{tries}": adapt(now + timedelta(seconds=seconds))
                        for tries, seconds in WAITS.items()
                    },
                },
            )
            row = cursor.fetchone()
        return None if row is None else (row[0] == "", int(row[1]), row[2])

    def _why_not(self, now: datetime) -> CodeRefused:
        known = type(self).objects.filter(phone=self.phone).first()
        if known is None:
            return CodeRefused("expired")
        if known.locked_until and known.locked_until > now:
            return CodeRefused("locked", int((known.locked_until - now).total_seconds()))
        if not known.code_hash or known.sent_at <= now - CODE_LIFE:
            return CodeRefused("expired")
        return CodeRefused("wait", int((known.next_try_at - now).total_seconds()) + 1)

    def generate_challenge(self) -> Any:
        raise NotImplementedError("Codes are sent by accounts.actions.send_code.")
