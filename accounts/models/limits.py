from datetime import UTC, datetime, timedelta

from django.db import connection, models
from django.utils import timezone

from accounts.secrets import keyed_hash
from esanjeevani.prepared import prepared_cursor


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
    def hit(cls, what: str, who: str, *, limit: int, window: timedelta) -> int:
        """Count one more of `what` by `who`; 0 if within `limit`, else seconds until the window ends."""
        return cls.hit_all((what, who, limit), window=window)

    @classmethod
    def hit_all(cls, *limits: tuple[str, str, int], window: timedelta) -> int:
        """As hit(), for several (what, who, limit) at once; 0 if within all of them.

        One statement, so that parallel requests cannot slip through between a read and a write.
        `who` is stored as a keyed hash: the table holds no phone number and no address. Keys are
        sorted, so that two requests lock their rows in one order.
        """
        now = int(timezone.now().timestamp())
        start = now - now % int(window.total_seconds())
        opened = connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(start, tz=UTC))
        most = {keyed_hash(what, who): limit for what, who, limit in limits}
        table = connection.ops.quote_name(cls._meta.db_table)
        with prepared_cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, window_at, hits) VALUES "  # noqa: S608
                + ", ".join(["(%s, %s, 1)"] * len(most))
                + f" ON CONFLICT (key, window_at) DO UPDATE SET hits = {table}.hits + 1"
                " RETURNING key, hits",
                [value for key in sorted(most) for value in (key, opened)],
            )
            over = any(hits > most[key] for key, hits in cursor.fetchall())
        return start + int(window.total_seconds()) - now if over else 0
