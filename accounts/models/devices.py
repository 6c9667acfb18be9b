from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django_otp.models import Device

from accounts.secrets import keyed_hash, new_code

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
    parallel guesses cannot pass the limit. The account is made only when a code was right.
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
        fresh = {"code_hash": keyed_hash("otp", phone, code), "sent_at": now, "tries": 0}
        unlocked = Q(locked_until=None) | Q(locked_until__lte=now)
        here = cls.objects.filter(unlocked, phone=phone)
        renewal = {**fresh, "next_try_at": now, "locked_until": None}
        if here.update(**renewal):
            return code
        _device, created = cls.objects.get_or_create(
            phone=phone, defaults={"name": "sms", "next_try_at": now, **fresh}
        )
        # Not created: it is locked, or the other half of a double click was faster.
        return code if created or here.update(**renewal) else None

    def verify_token(self, token: str) -> bool:
        """django-otp's question; the reason for a no is what try_code() raises."""
        try:
            self.try_code(token)
        except CodeRefused:
            return False
        return True

    def try_code(self, code: str) -> None:
        """Use the code up. Raises CodeRefused."""
        now = timezone.now()
        if not self._count_try(now):
            raise self._why_not(now)
        right = keyed_hash("otp", self.phone, code)
        used = type(self).objects.filter(pk=self.pk, code_hash=right).exclude(code_hash="")
        if used.update(code_hash="", tries=0, locked_until=None):
            return
        self.refresh_from_db()
        if self.locked_until and self.locked_until > now:
            raise CodeRefused("locked", int((self.locked_until - now).total_seconds()))
        if not self.code_hash:  # used by somebody else at the same moment
            raise CodeRefused("expired")
        raise CodeRefused("wrong", WAITS.get(self.tries, 0))

    def _count_try(self, now: datetime) -> bool:
        waits = [
            When(tries=tries - 1, then=Value(now + timedelta(seconds=seconds)))
            for tries, seconds in WAITS.items()
        ]
        last = When(tries=MAX_TRIES - 1, then=Value(now + LOCK))
        allowed = type(self).objects.filter(
            Q(locked_until=None) | Q(locked_until__lte=now),
            pk=self.pk,
            tries__lt=MAX_TRIES,
            sent_at__gt=now - CODE_LIFE,
            next_try_at__lte=now,
        )
        return bool(
            allowed.exclude(code_hash="").update(
                tries=F("tries") + 1,
                next_try_at=Case(*waits, default=Value(now)),
                locked_until=Case(last, default=Value(None)),
            )
        )

    def _why_not(self, now: datetime) -> CodeRefused:
        self.refresh_from_db()
        if self.locked_until and self.locked_until > now:
            return CodeRefused("locked", int((self.locked_until - now).total_seconds()))
        if not self.code_hash or self.sent_at <= now - CODE_LIFE:
            return CodeRefused("expired")
        return CodeRefused("wait", int((self.next_try_at - now).total_seconds()) + 1)

    def generate_challenge(self) -> Any:
        raise NotImplementedError("Codes are sent by accounts.actions.send_code.")
