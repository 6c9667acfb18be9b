"""The day as the service's people count it: by the clocks on their walls."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

QUARTER = 900  # seconds: the midnight of every zone is at a quarter of an hour of UTC


def midnight() -> datetime:
    """When today began."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def today() -> date:
    """As timezone.localdate(), reckoned once in a quarter of an hour: each age on a page asks for it."""
    return _day_of(int(timezone.now().timestamp()) // QUARTER, settings.TIME_ZONE)


@lru_cache(maxsize=10)
def _day_of(quarter: int, zone: str) -> date:
    return datetime.fromtimestamp(quarter * QUARTER, ZoneInfo(zone)).date()
