"""Signing in: codes by SMS, tries of passwords, the privacy notice; and a doctor's verification."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import CharField
from django.utils import timezone

from accounts.actions.audit import event, record
from accounts.actions.messages import WRITE, queue_sms, sms_values
from accounts.address import current_address
from accounts.models import (
    ApiToken,
    AuditEvent,
    CodeRefused,
    Doctor,
    Message,
    NoticeAcceptance,
    PhoneDevice,
    RateLimit,
    User,
)
from accounts.models.devices import NEW_CODE, TRIED, TRY, try_values
from accounts.models.limits import Counting, counted
from accounts.notice import NOTICE_VERSION
from accounts.secrets import keyed_hash, new_code
from esanjeevani.celery_app import enqueue
from esanjeevani.sql.composed import Composed
from esanjeevani.sql.instances import new
from esanjeevani.sql.rows import is_inserted
from esanjeevani.sql.steps import Steps, insert_text, insert_with, values_of

HOUR = timedelta(hours=1)
ISSUED = "token.issue"  # as the audit calls it
NO_PASSWORD = "!"  # noqa: S105 - Django's mark of an unusable one
CODES_PER_NUMBER = 5
CODES_PER_ADDRESS = 60  # a health centre or a village shares one address
TRIES_PER_ADDRESS = 200
PASSWORDS_PER_NUMBER = 10


ACCOUNT = Composed(lambda phone: User.objects.filter(phone=phone), phone=CharField())
CHALLENGE = Steps(
    limits=counted(2),
    device=NEW_CODE,
    message=f"{WRITE} AND EXISTS (SELECT 1 FROM device) RETURNING id",  # noqa: S608
    answer="""
SELECT EXISTS (SELECT 1 FROM limits WHERE is_over), (SELECT id FROM device), (SELECT id FROM message)
""",
)


class TooMany(Exception):
    """A limit per number or per address is reached; `seconds` until it opens again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


def send_code(*, phone: str, language: str) -> None:
    """Send a fresh six-digit code to `phone`, known to us or not: the answer is the same.

    Raises TooMany per number and per address, CodeRefused("locked") after too many wrong codes.
    """
    counting = Counting(
        ("codes to", phone, CODES_PER_NUMBER),
        ("codes from", current_address() or "", CODES_PER_ADDRESS),
        window=HOUR,
    )
    code, now = new_code(), timezone.now()
    fresh = {"phone": phone, "hash": keyed_hash("otp", phone, code), "now": now}
    message = new(Message, to=phone, is_secret=True)
    sms = sms_values(message, "otp", language, {"code": code})
    ((is_over, device, written),) = CHALLENGE.ask({**counting.values, **fresh, **sms})
    if is_over:
        raise TooMany(counting.seconds_left)
    if device is None:
        locked = PhoneDevice.objects.get(phone=phone).locked_until
        raise CodeRefused("locked", int((locked - now).total_seconds()) if locked else 0)
    if written:
        enqueue("accounts.deliver", written)
    else:  # the text went since it was remembered
        queue_sms(to=phone, key="otp", language=language, is_secret=True, code=code)


def sign_in(*, phone: str, code: str, language: str, token: ApiToken | None = None) -> User:
    """The account of `phone`, made now if it is the first time. Raises CodeRefused, TooMany.

    A `token` is a program's: it becomes theirs by the same statement.
    """
    counting = Counting(("tries from", current_address() or "", TRIES_PER_ADDRESS), window=HOUR)
    now = timezone.now()
    first = new(User, phone=phone, language=language, password=NO_PASSWORD)
    asked = (
        ACCOUNT.step_values(phone=phone) | try_values(phone, code, now) | values_of("new", first)
    )
    asked |= values_of("noted", event("account.sign_in", by=None), OF_WHO)
    asked |= _values_of_token(token) if token else {}
    ((is_over, is_right, tries, made, *known),) = _trying(token is not None).ask(
        counting.values | asked
    )
    if is_over:
        raise TooMany(counting.seconds_left)
    PhoneDevice(phone=phone).judge(now, is_right, tries)
    if made:
        is_inserted(first, made)
        return first
    account = ACCOUNT.row_of(known)
    if not account.is_active:
        raise CodeRefused("expired")
    return account


def _values_of_token(token: ApiToken) -> dict[str, Any]:
    issued = event(ISSUED, token, by=None)
    return values_of("token", token, WHOSE) | values_of("issued", issued, BY_WHO)


WHOSE = {"user_id": "who.id"}
BY_WHO = {"by_id": "who.id"}
OF_WHO = BY_WHO | {"target": "'user:' || CAST(who.id AS text)"}  # in the audit event


@lru_cache
def _trying(with_token: bool) -> Steps:
    """Count, try the code, make the account and note who signs in: it worked once, so nobody races us."""
    within = "NOT EXISTS (SELECT 1 FROM limits WHERE is_over)"
    first_time = "is_right AND NOT EXISTS (SELECT 1 FROM account)"
    issued = {
        "token": f"{insert_text('token', ApiToken, **WHOSE)} FROM who",
        "issued": f"{insert_text('issued', AuditEvent, **BY_WHO)} FROM who",
    }
    return Steps(
        account=ACCOUNT.as_step(),
        limits=counted(1),
        tried=f"{TRY} AND {within} RETURNING {TRIED}",
        made=f"{insert_text('new', User)} FROM tried WHERE {first_time} RETURNING id",
        who="SELECT id FROM made UNION ALL SELECT id FROM account, tried WHERE is_right AND is_active",
        noted=f"{insert_text('noted', AuditEvent, **OF_WHO)} FROM who",
        **(issued if with_token else {}),
        answer="""
SELECT is_over, is_right, tries, made.id, account.*
FROM limits LEFT JOIN tried ON TRUE LEFT JOIN made ON TRUE LEFT JOIN account ON TRUE
""",
    )


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
    accepted = new(
        NoticeAcceptance,
        user_id=by.pk,
        version=NOTICE_VERSION,
        language=language,
        address=current_address(),
    )
    noted = event("notice.accept", f"notice:{NOTICE_VERSION}", by=by)
    insert_with(accepted, noted, unless_there=True)


@transaction.atomic
def verify_doctor(*, doctor: Doctor, by: User) -> None:
    """Note that `by` checked the registration with the medical council (TPG 2020, 3.2)."""
    doctor.verified_at, doctor.verified_by = timezone.now(), by
    doctor.save(update_fields=["verified_at", "verified_by"])
    record("doctor.verify", doctor, by=by)
