"""Sessions in the database, one statement to read one with its account and second factor, one to save it.

Django's own store asks for the account separately, and signing in costs it a look for a free key, an
insert and an update, both in savepoints.
"""

from contextvars import ContextVar
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import CharField, DateTimeField
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import AccountSession, User
from esanjeevani.composed import Composed
from esanjeevani.rows import insert, update

OPEN_SESSION = Composed(
    lambda key, now: AccountSession.objects.select_related("account", "device").filter(
        session_key=key, expire_date__gt=now
    ),
    key=CharField(),
    now=DateTimeField(),
)

# Set anew whenever a session is loaded, so they never outlive a request.
account_of_session: ContextVar[User | None] = ContextVar("account_of_session", default=None)
device_of_session: ContextVar[TOTPDevice | None] = ContextVar("device_of_session", default=None)


class SessionStore(DatabaseStore):
    _is_new = False

    @classmethod
    def get_model_class(cls) -> type[AccountSession]:
        return AccountSession

    def _get_session_from_db(self) -> AccountSession | None:
        found = OPEN_SESSION.first(key=self.session_key, now=timezone.now())
        account_of_session.set(found.account if found else None)
        device_of_session.set(found.device if found else None)
        if found is None:
            self._session_key = None
        return found

    def create_model_instance(self, data: dict[str, Any]) -> AccountSession:
        row = cast(AccountSession, super().create_model_instance(data))
        row.account_id = int(data[SESSION_KEY]) if data.get(SESSION_KEY) else None
        row.device_id = _key_of(data.get(DEVICE_ID_SESSION_KEY, ""))
        return row

    def create(self) -> None:
        """A fresh random key; the row is written when the session is saved."""
        self._session_key = get_random_key()
        self._session_cache: dict[str, Any] = {}
        self._is_new = True
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Raises UpdateError when the session was ended meanwhile, by signing out elsewhere."""
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        if self.session_key is None:
            self.create()
            self._session_cache = data
        row = self.create_model_instance(data)
        if self._is_new or must_create:
            insert(row)
            self._is_new = False
            return
        fields = {
            "session_data": row.session_data,
            "expire_date": row.expire_date,
            "account": row.account_id,
            "device": row.device_id,
        }
        if not update(AccountSession, row.pk, fields):
            raise UpdateError


def get_random_key() -> str:
    """165 random bits: no two are the same, so none is looked for."""
    return get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")


def _key_of(device: str) -> int | None:
    """Of an authenticator app, as django-otp names it in a session; None of anything else."""
    kind, _slash, key = device.rpartition("/")
    return int(key) if kind == TOTPDevice.model_label() and key.isdecimal() else None
