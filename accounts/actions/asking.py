"""Who asks with a token. The count for the limit and the right to answer go with it, in one statement."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import CharField, DateTimeField, Exists, OuterRef
from django.utils import timezone

from accounts.actions.answers import RESERVED, Counted, Once
from accounts.actions.keys import hash_of
from accounts.models import ApiToken, NoticeAcceptance
from accounts.models.limits import Counting, counted_for
from accounts.notice import NOTICE_VERSION
from esanjeevani.sql.composed import Composed
from esanjeevani.sql.prepared import again_if_cut
from esanjeevani.sql.steps import Steps

MINUTE = timedelta(minutes=1)
PERSON = "api person"
ACCEPTED = NoticeAcceptance.objects.filter(user=OuterRef("user"), version=NOTICE_VERSION)
# Asked by every request of a program, so composed once. It is ApiToken.objects.in_force() at `now`.
TOKEN = Composed(
    lambda token, now: (
        ApiToken.objects.filter(
            key_hash=token, revoked_at=None, expires_at__gt=now, user__is_active=True
        )
        .select_related("user")
        .annotate(is_noticed=Exists(ACCEPTED))
    ),
    token=CharField(),
    now=DateTimeField(),
)


def token_of(key: str) -> ApiToken | None:
    """In force, with its person."""
    return TOKEN.first(token=hash_of(key), now=timezone.now())


@again_if_cut
def token_counted(key: str, once: Once | None) -> tuple[ApiToken | None, Counted | None]:
    """As token_of(), with this request counted for its person; nothing is written for an unknown key."""
    limit = limit_of_person()
    values = TOKEN.step_values(token=hash_of(key), now=timezone.now()) | limit.values
    found = _asking(once is not None).ask(values | (once.values() if once else {}))
    if not found:
        return None, None
    *columns, is_over, row = found[0]
    token = TOKEN.row_of(columns)
    seconds = limit.seconds_left if is_over else 0
    return token, Counted(seconds, once, str(token.user_id), row)


def limit_of_person(account: Any = "") -> Counting:
    """Of one account, whichever token or page it asks from."""
    most = settings.API_PER_MINUTE["person"]
    return Counting((PERSON, str(account), most), window=MINUTE, is_plain=True)


@lru_cache
def _asking(is_once: bool) -> Steps:
    whose = "CAST(who.user_id AS text) || %(key)s"
    reserved = {"reserved": RESERVED.format(key=whose, and_who=", who")} if is_once else {}
    row = "(SELECT id FROM reserved)" if is_once else "NULL"
    return Steps(
        who=TOKEN.as_step(),
        limits=counted_for("who.user_id", "who"),
        **reserved,
        answer=f"SELECT who.*, is_over, {row} FROM who, limits",  # noqa: S608
    )
