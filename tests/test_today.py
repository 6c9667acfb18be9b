"""The day that is reckoned once in a quarter of an hour is the day that it is."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from esanjeevani.today import QUARTER, _day_of, today

# Ours, two that are a quarter and half an hour beside the hour, and two where clocks are put back.
ZONES = ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "UTC"]


@pytest.mark.parametrize("name", ZONES)
def test_it_changes_at_midnight_and_at_no_other_time(name: str) -> None:
    zone = ZoneInfo(name)
    for month in (1, 4, 7, 11):
        for day in range(1, 8):
            midnight = datetime(2026, month, day, tzinfo=zone)
            for seconds in (-1, 0, 1, QUARTER, 12 * 3600):
                moment = midnight.astimezone(ZoneInfo("UTC")) + timedelta(seconds=seconds)
                day_of_it = _day_of(int(moment.timestamp()) // QUARTER, name)
                assert day_of_it == timezone.localdate(moment, zone)


def test_it_is_the_day_of_now() -> None:
    before = timezone.localdate()
    assert before <= today() <= timezone.localdate()
