from collections.abc import Iterable
from datetime import timedelta

from django.db import models
from django.utils import timezone

from esanjeevani.sql.any_of import in_shares, with_places
from esanjeevani.sql.composed import Question
from esanjeevani.sql.prepared import ask
from queues.models.tokens import Token


class Presence(models.Model):
    """Until when one token's patient counts as being on the page: a lease, renewed while open.

    In a table of its own, so that renewing it never locks a token that a doctor is claiming.
    """

    token = models.OneToOneField(
        Token, on_delete=models.CASCADE, primary_key=True, related_name="presence"
    )
    until = models.DateTimeField()

    LEASE = timedelta(seconds=60)
    # A page that reloads is not gone; nor one that came back to another process, which renews its lease
    # every 20 s, when the first one notices a minute later that its socket is dead.
    GRACE = timedelta(seconds=25)

    def __str__(self) -> str:
        return f"{self.token_id} until {self.until:%H:%M:%S}"

    @classmethod
    def renew(cls, token_ids: Iterable[int], lease: timedelta = LEASE) -> None:
        """One statement for all of a process's waiting pages."""
        until = timezone.now() + lease
        for share in in_shares(token_ids):
            ask(with_places(RENEW, len(share)), [until, *share])

    @classmethod
    def renewing(cls, token_id: int) -> Question:
        """renew() of one, to be asked together with others."""
        asked = with_places(RENEW, 1), [timezone.now() + cls.LEASE, token_id]
        return Question(asked, lambda _found: None)

    @classmethod
    def end_soon(cls, token_ids: Iterable[int]) -> None:
        """Their pages were closed: absent in 25 s, unless they come back."""
        until = timezone.now() + cls.GRACE
        for share in in_shares(token_ids):
            ask(with_places(END, len(share)), [until, *share, until])

    @classmethod
    def of(cls, token_ids: Iterable[int]) -> set[int]:
        """Those of the tokens whose patients are present now."""
        now = timezone.now()
        found: set[int] = set()
        for share in in_shares(token_ids):
            rows = ask(with_places(PRESENT, len(share)), [now, *share]).rows
            found.update(pk for (pk,) in rows)
        return found


PRESENT = "SELECT token_id FROM queue_presence WHERE until > %s AND token_id IN ({places})"
# Both in one order, so that two processes, of one that starts and one that ends, do not wait for each other.
RENEW = """
INSERT INTO queue_presence (token_id, until)
SELECT id, %s FROM queue_token WHERE id IN ({places}) ORDER BY id
ON CONFLICT (token_id) DO UPDATE SET until = excluded.until
"""
END = """
INSERT INTO queue_presence (token_id, until)
SELECT token_id, %s FROM queue_presence WHERE token_id IN ({places}) AND until > %s ORDER BY token_id
ON CONFLICT (token_id) DO UPDATE SET until = excluded.until
"""
