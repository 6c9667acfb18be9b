from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import models
from django.utils import timezone

from accounts.secrets import keyed_hash
from esanjeevani.sql.prepared import ask
from esanjeevani.sql.steps import Steps, insert_text, values_of


class RateLimit(models.Model):
    """How often one thing was done in one window of time. In the database: Redis may forget."""

    key = models.CharField(max_length=64)
    window_at = models.DateTimeField()
    hits = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "window_at"], name="accounts_ratelimit_one_row_per_window"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key[:12]} {self.hits}"

    @classmethod
    def hit(
        cls,
        what: str,
        who: str,
        *,
        limit: int,
        window: timedelta,
        noted: models.Model | None = None,
    ) -> int:
        """Count one more of `what` by `who`; 0 if within `limit`, else seconds until the window ends.

        Within the limit the row that is `noted` of it is inserted, by the same statement.
        """
        return Counting((what, who, limit), window=window).hit(noted)

    @classmethod
    def hit_all(cls, *limits: tuple[str, str, int], window: timedelta) -> int:
        """As hit(), for several (what, who, limit) at once; 0 if within all of them.

        One statement, so that parallel requests cannot slip through between a read and a write.
        `who` is stored as a keyed hash: the table holds no phone number and no address. Keys are
        sorted, so that two requests lock their rows in one order.
        """
        return Counting(*limits, window=window).hit()


AGAIN = "ON CONFLICT (key, window_at) DO UPDATE SET hits = accounts_ratelimit.hits + 1"


@lru_cache
def counted(how_many: int) -> str:
    """The statement that counts so many, as the step `limits` of others: what is_over must not be done."""
    rows = ", ".join(f"(%(limit_{at})s, %(window)s, 1)" for at in range(how_many))
    most = " ".join(f"WHEN %(limit_{at})s THEN %(most_{at})s" for at in range(how_many))
    return (
        f"INSERT INTO accounts_ratelimit (key, window_at, hits) VALUES {rows} "  # noqa: S608
        f"{AGAIN} RETURNING key, hits > CASE key {most} END AS is_over"
    )


def counted_for(account: str, step: str) -> str:
    """As counted(1), for the account that a step before it has found; nothing where it found none."""
    return (
        f"INSERT INTO accounts_ratelimit (key, window_at, hits) "  # noqa: S608
        f"SELECT %(limit_0)s || CAST({account} AS text), %(window)s, 1 FROM {step} WHERE TRUE "
        f"{AGAIN} RETURNING hits > %(most_0)s AS is_over"
    )


class Counting:
    """Some (what, who, limit) in the window that is open now, as counted() takes them.

    Kept in plain words where `who` is no secret: the number of an account, or "" where counted_for()
    says it.
    """

    def __init__(
        self, *limits: tuple[str, str, int], window: timedelta, is_plain: bool = False
    ) -> None:
        now, length = int(timezone.now().timestamp()), int(window.total_seconds())
        opened = datetime.fromtimestamp(now - now % length, tz=UTC)
        self.seconds_left = length - now % length
        self.values: dict[str, Any] = {"window": opened}
        key_of = _plain if is_plain else keyed_hash
        most = sorted((key_of(what, who), limit) for what, who, limit in limits)
        for at, (key, limit) in enumerate(most):
            self.values |= {f"limit_{at}": key, f"most_{at}": limit}
        self._how_many = len(limits)

    def hit(self, noted: models.Model | None = None) -> int:
        """Seconds until the window ends if it is over one of the limits, else 0, and the row is inserted."""
        if noted is None:
            counts = ask(counted(self._how_many), self.values).rows
        else:
            steps = _counted_and_noted(self._how_many, type(noted))
            counts = steps.ask(self.values | values_of("noted", noted))
        return self.seconds_left if any(is_over for _key, is_over in counts) else 0


@lru_cache
def _counted_and_noted(how_many: int, model: type[models.Model]) -> Steps:
    within = "WHERE NOT EXISTS (SELECT 1 FROM limits WHERE is_over)"
    return Steps(
        limits=counted(how_many),
        noted=f"{insert_text('noted', model)} {within}",
        answer="SELECT key, is_over FROM limits",
    )


def _plain(what: str, who: str) -> str:
    return f"{what} {who}"
