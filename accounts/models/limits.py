from datetime import datetime, timedelta

from django.db import connection, models
from django.utils import timezone

from accounts.secrets import keyed_hash


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
        """Count one more of `what` by `who`; 0 if within `limit`, else seconds until the window ends.

        One statement, so that parallel requests cannot slip through between a read and a write.
        `who` is stored as a keyed hash: the table holds no phone number and no address.
        """
        now = timezone.now()
        seconds = int(window.total_seconds())
        start = int(now.timestamp()) // seconds * seconds
        opened = datetime.fromtimestamp(start, tz=now.tzinfo)
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, window_at, hits) VALUES (%s, %s, 1) "  # noqa: S608
                f"ON CONFLICT (key, window_at) DO UPDATE SET hits = {table}.hits + 1 RETURNING hits",
                [keyed_hash(what, who), connection.ops.adapt_datetimefield_value(opened)],
            )
            (hits,) = cursor.fetchone()
        return 0 if hits <= limit else start + seconds - int(now.timestamp())
