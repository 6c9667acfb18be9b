"""Sessions in the database, one statement to read one with whose it is, one to save it.

What every page asks about its person comes with the session: account, second factor, doctor, posts at
health centres. All are rows as they are now, so what ended ends with the next request. Django's own
store asks for the account separately, and signing in costs it a look for a free key, an insert and an
update, both in savepoints.

What a page asks first of its person travels with the question for the session, where it says so
(`ahead`) and this process has read the session before: then it knows whose it was, and the answers
count only if it still is theirs (docs/decisions/0052, 0056).
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import CharField, DateTimeField, FilteredRelation, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import AccountSession, Facility, User
from accounts.models.places import at_centre
from esanjeevani.sql.composed import Composed, Question, together
from esanjeevani.sql.rows import insert, update


def _open(key: Any, now: Any) -> "QuerySet[AccountSession]":
    sessions = AccountSession.objects.filter(session_key=key, expire_date__gt=now)
    return sessions.select_related("account", "device")


def _with_doctor(key: Any, now: Any) -> "QuerySet[AccountSession]":
    return _open(key, now).select_related("account__doctor__speciality")


def _with_posts(key: Any, now: Any) -> "QuerySet[AccountSession]":
    """A row for each post at a health centre, one where there is none."""
    sessions: Any = _open(key, now)  # the annotation's name is unknown to django-stubs
    posts = FilteredRelation("account__posts", condition=at_centre(now, "account__posts__"))
    found = sessions.annotate(post=posts).select_related("post__facility__state")
    found = found.order_by("post__facility__name")
    return cast("QuerySet[AccountSession]", found)


SLOTS: dict[str, Any] = {"key": CharField(), "now": DateTimeField()}
OPEN_SESSION = Composed(_open, **SLOTS)
WITH_DOCTOR = Composed(_with_doctor, **SLOTS)
WITH_POSTS = Composed(_with_posts, **SLOTS)

# Set anew whenever a session is loaded, so they never outlive a request.
account_of_session: ContextVar[User | None] = ContextVar("account_of_session", default=None)
device_of_session: ContextVar[TOTPDevice | None] = ContextVar("device_of_session", default=None)


REMEMBERED = 10_000  # sessions of a process
# Whom the pages of a session asked for last: a doctor, a centre, an account.
_of_whom: dict[tuple[str, str], int] = {}


Asks = Callable[[int], Question]  # what a page asks of somebody, by their key


@dataclass(frozen=True)
class Ahead:
    """What a page prefetches with its session: a query about somebody (`whose`), and its other values."""

    asks: Callable[..., Question]
    values: dict[str, Any]
    of: str = ""  # of what `whose` is the key, where the pages of one session differ in that

    def __call__(self, whose: int) -> Question:
        return self.asks(whose=whose, **self.values)


class SessionStore(DatabaseStore):
    reads = OPEN_SESSION  # a gate that will ask for more has it come with the session
    ahead: tuple[Asks, ...] = ()  # what the page will ask by found_of()
    of = ""  # as Ahead has it
    _came: tuple[int, list[tuple[Asks, Any]]] | None = None  # of whom, and what was found
    _is_new = False

    @classmethod
    def get_model_class(cls) -> type[AccountSession]:
        return AccountSession

    def _get_session_from_db(self) -> AccountSession | None:
        rows = self._read_rows()
        found = rows[0] if rows else None
        account = found.account if found else None
        if account and self.reads is WITH_POSTS:
            account.centres = _centres(rows)
        account_of_session.set(account)
        device_of_session.set(found.device if found else None)
        if found is None:
            self._session_key = None
        return found

    def _read_rows(self) -> list[AccountSession]:
        asked = self.reads.asked(key=self.session_key, now=timezone.now())
        whose = _of_whom.get((self.session_key or "", self.of))
        if not self.ahead or whose is None:
            return together(asked)[0]
        rows, *came = together(asked, *(ask(whose) for ask in self.ahead))
        self._came = whose, list(zip(self.ahead, came, strict=True))
        return cast(list[AccountSession], rows)

    def found_of(self, whose: int, ask: Asks) -> Any:
        """What is found of somebody: it came with the session, or is asked now. Once of each.

        Where nothing of theirs came, all that the page said that it will ask is asked in one trip.
        """
        if self.ahead and (self._came is None or self._came[0] != whose):
            self._remember(whose)
            found = together(*(one(whose) for one in self.ahead))
            self._came = whose, list(zip(self.ahead, found, strict=True))
        came = self._came[1] if self._came else []
        for at, (asked, found_then) in enumerate(came):
            if asked == ask:
                del came[at]
                return found_then
        return together(ask(whose))[0]

    def _remember(self, whose: int) -> None:
        if not self.session_key:
            return
        if len(_of_whom) >= REMEMBERED:
            _of_whom.clear()
        _of_whom[self.session_key, self.of] = whose

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Not signed: our own tables are believed, also when they say who may do what."""
        return json.dumps(session_dict, separators=(",", ":"))

    def decode(self, session_data: Any) -> dict[str, Any]:
        if session_data.startswith("{"):
            return cast(dict[str, Any], json.loads(session_data))
        signed: dict[str, Any] = super().decode(session_data)  # Django's, from before
        return signed

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


def _centres(rows: list[Any]) -> list[Facility]:
    return [row.post.facility for row in rows if hasattr(row, "post")]


def get_random_key() -> str:
    """165 random bits: no two are the same, so none is looked for."""
    return get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")


def _key_of(device: str) -> int | None:
    """Of an authenticator app, as django-otp names it in a session; None of anything else."""
    kind, _slash, key = device.rpartition("/")
    return int(key) if kind == TOTPDevice.model_label() and key.isdecimal() else None
