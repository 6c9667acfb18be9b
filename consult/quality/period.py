from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone


@dataclass(frozen=True)
class Period:
    """Whole days of the service's time zone, the first and the last included."""

    first: date
    last: date

    @classmethod
    def of_days(cls, days: int) -> "Period":
        """The last so many days, today included."""
        today = timezone.localdate()
        return cls(today - timedelta(days=days - 1), today)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """From the first moment until the one after the last, as a query wants them."""
        return _begin(self.first), _begin(self.last + timedelta(days=1))

    def days(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
