"""Signing programs in and out."""

import secrets
from datetime import timedelta

from django.contrib.auth import authenticate
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions.audit import event, record, refuse
from accounts.actions.signing_in import ISSUED, limit_password_tries
from accounts.broadcast import signed_out
from accounts.models import ApiToken, CodeRefused, MachineClient, User
from accounts.secrets import keyed_hash
from esanjeevani.sql.instances import new
from esanjeevani.sql.steps import insert_with

PERSON, MACHINE = "esp_", "esm_"  # so that a key found somewhere says what it is
LIFE = timedelta(days=90)
STAFF_LIFE = timedelta(hours=12)


def hash_of(key: str) -> str:
    return keyed_hash("api-key", key)


def _new_key(kind: str) -> str:
    return kind + secrets.token_urlsafe(32)


def new_token(*, device: str, has_second_factor: bool = False) -> tuple[ApiToken, str]:
    """A token for one program, nobody's yet; the key itself is known only now."""
    key = _new_key(PERSON)
    token = new(
        ApiToken,
        device=device,
        key_hash=hash_of(key),
        has_second_factor=has_second_factor,
        expires_at=timezone.now() + (STAFF_LIFE if has_second_factor else LIFE),
    )
    return token, key


def issue_token(
    *, user: User, device: str, has_second_factor: bool = False
) -> tuple[ApiToken, str]:
    """A token for one program of this person, and its key."""
    token, key = new_token(device=device, has_second_factor=has_second_factor)
    token.user = user
    insert_with(token, event(ISSUED, token, by=user))
    return token, key


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> None:
    """Signed out there: the key opens nothing any more, and its sockets close. Twice is once."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    record("token.revoke", token, by=by)
    signed_out(token.user)


def staff_account(*, phone: str, password: str, code: str) -> User:
    """By password and authenticator app together. Raises TooMany; CodeRefused("wrong") for either."""
    limit_password_tries(phone)
    user = authenticate(None, username=phone, password=password)
    if not isinstance(user, User) or app_that_shows(user, code) is None:
        refuse("staff.sign_in", "password or code", by=user)
        raise CodeRefused("wrong")
    record("staff.sign_in", f"user:{user.pk}", by=user)
    return user


@transaction.atomic
def app_that_shows(user: User, code: str) -> TOTPDevice | None:
    """The paired app whose code this is. Only an app: a code by SMS is no second factor."""
    # Locked while it is asked: two requests with one code would both find it unused.
    for device in TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True):
        if device.verify_is_allowed()[0] and device.verify_token(code):
            return device
    return None


@transaction.atomic
def give_key(*, client: MachineClient, by: User) -> str:
    """A new key for a facility's system; an earlier one opens nothing any more."""
    key = _new_key(MACHINE)
    client.key_hash = hash_of(key)
    client.save()
    record("client.key", client, by=by)
    return key
