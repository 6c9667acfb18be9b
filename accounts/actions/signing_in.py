from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import BigAutoField
from django.utils import timezone

from accounts.actions.audit import record
from accounts.actions.messages import queue_sms
from accounts.address import current_address
from accounts.models import (
    CodeRefused,
    Doctor,
    NoticeAcceptance,
    PhoneDevice,
    RateLimit,
    User,
)
from accounts.notice import NOTICE_VERSION
from esanjeevani.composed import Composed
from esanjeevani.rows import insert

HOUR = timedelta(hours=1)
NO_PASSWORD = "!"  # noqa: S105 - Django's mark of an unusable one
CODES_PER_NUMBER = 5
CODES_PER_ADDRESS = 60  # a health centre or a village shares one address
TRIES_PER_ADDRESS = 200
PASSWORDS_PER_NUMBER = 10


ACCOUNT = Composed(lambda account: User.objects.filter(pk=account), account=BigAutoField())


class TooMany(Exception):
    """A limit per number or per address is reached; `seconds` until it opens again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


def send_code(*, phone: str, language: str) -> None:
    """Send a fresh six-digit code to `phone`, known to us or not: the answer is the same.

    Raises TooMany per number and per address, CodeRefused("locked") after too many wrong codes.
    """
    _limit(
        ("codes to", phone, CODES_PER_NUMBER),
        ("codes from", current_address() or "", CODES_PER_ADDRESS),
    )
    now = timezone.now()
    with transaction.atomic():
        code = PhoneDevice.new_challenge(phone, now)
        if code is None:
            locked = PhoneDevice.objects.get(phone=phone).locked_until
            raise CodeRefused("locked", int((locked - now).total_seconds()) if locked else 0)
        queue_sms(to=phone, key="otp", language=language, is_secret=True, code=code)


def sign_in(*, phone: str, code: str, language: str) -> User:
    """The account of `phone`, made now if it is the first time. Raises CodeRefused, TooMany."""
    _limit(("tries from", current_address() or "", TRIES_PER_ADDRESS))
    account_id = PhoneDevice(phone=phone).try_code(code)
    with transaction.atomic():
        user = _account_of(phone, language, account_id)
        if not user.is_active:
            raise CodeRefused("expired")
        record("account.sign_in", f"user:{user.pk}", by=user)
    return user


def _account_of(phone: str, language: str, account_id: int | None) -> User:
    """The account, made now if this is the first time. The code worked once, so nobody races us."""
    known = ACCOUNT.first(account=account_id) if account_id else None
    if known is None:
        known = User(phone=phone, language=language, password=NO_PASSWORD)
        insert(known)
    return known


def limit_password_tries(phone: str) -> None:
    """Count one try of a password. Raises TooMany per number and per address."""
    _limit(
        ("passwords of", phone, PASSWORDS_PER_NUMBER),
        ("passwords from", current_address() or "", TRIES_PER_ADDRESS),
    )


def _limit(*limits: tuple[str, str, int]) -> None:
    if seconds := RateLimit.hit_all(*limits, window=HOUR):
        raise TooMany(seconds)


def accept_notice(*, by: User, language: str) -> None:
    """Record that `by` accepted the privacy notice now in force. Twice is once."""
    try:
        with transaction.atomic():
            accepted = NoticeAcceptance(
                user_id=by.pk, version=NOTICE_VERSION, language=language, address=current_address()
            )
            insert(accepted)
            record("notice.accept", f"notice:{NOTICE_VERSION}", by=by)
    except IntegrityError:
        pass


@transaction.atomic
def verify_doctor(*, doctor: Doctor, by: User) -> None:
    """Note that `by` checked the registration with the medical council (TPG 2020, 3.2)."""
    doctor.verified_at, doctor.verified_by = timezone.now(), by
    doctor.save(update_fields=["verified_at", "verified_by"])
    record("doctor.verify", doctor, by=by)
