"""What the tests run on: whatever DATABASE_URL, REDIS_URL and CHROMIUM offer, and the real parts.

With REQUIRE_SERVICES=1 a missing service or program is a failure; without it, it is said plainly.
"""

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import TransactionTestCase
from django.utils import timezone

from accounts.models import SmsTemplate, Speciality, State, User
from accounts.seeding import seed
from accounts.sms import MemoryBackend
from queues.models import Clinic
from tests.factories import a_health_worker, a_hub, centre_of

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
TURNSERVER = shutil.which("turnserver")
# Longer than a test takes that counts on one day.
END_OF_DAY = timedelta(seconds=30)
REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1"


def _services() -> dict[str, bool]:
    return {
        "postgresql": settings.DATABASE_URL.startswith("postgres"),
        "redis": not settings.IN_MEMORY,
        "chromium": bool(CHROMIUM),
        "coturn": bool(TURNSERVER),
    }


def pytest_configure(config: pytest.Config) -> None:
    for name in ("postgresql", "redis", "chromium", "coturn"):
        config.addinivalue_line("markers", f"{name}: needs {name}")
    config.addinivalue_line("markers", "program(*names): needs these programs")


def pytest_report_header() -> str:
    has = _services()
    present = [name for name, there in has.items() if there]
    absent = [name for name, there in has.items() if not there]
    on = ", ".join(present) or "SQLite and memory"
    return f"services: {on}" + (f"; not here: {', '.join(absent)}" if absent else "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    services = {name for name, there in _services().items() if not there}
    lacking = {item: _lacks(item, services) for item in items}
    absent = services.union(*lacking.values())
    if REQUIRED and absent:
        there_is_no = ", ".join(sorted(absent))
        pytest.exit(f"REQUIRE_SERVICES=1, but there is no {there_is_no}.", returncode=1)
    for item, names in lacking.items():
        for name in names:
            item.add_marker(pytest.mark.skip(reason=f"left out: needs {name}"))


def _lacks(item: pytest.Item, absent: set[str]) -> list[str]:
    """The services and programs that it asks for and that are not here."""
    programs = [name for mark in item.iter_markers("program") for name in mark.args]
    services = [name for name in absent if item.get_closest_marker(name)]
    return services + [name for name in programs if not shutil.which(name)]


@pytest.fixture(scope="session", autouse=True)
def _signing_keys() -> None:
    """Of this run, in its folder: without them no prescription is issued."""
    call_command("signing_keys", demonstration=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tables as a new deployment has them: seeded once, and seen by every test in a transaction."""
    with django_db_blocker.unblock():
        seed()


_empty = TransactionTestCase._fixture_teardown


def _empty_again(case: TransactionTestCase) -> None:
    """The servers of a test look into the tables at any time, and may stand in the way of TRUNCATE."""
    for tries_left in (3, 2, 1, 0):
        try:
            _empty(case)
            return
        except CommandError as error:
            if not tries_left or "deadlock" not in str(error.__cause__):
                raise


TransactionTestCase._fixture_teardown = _empty_again  # type: ignore[method-assign]


@pytest.fixture
def unseeded(db: None) -> None:
    """Tables as before the first seed()."""
    for model in (State, Speciality, SmsTemplate, Group):
        model.objects.all().delete()


@pytest.fixture
def meena() -> User:
    return a_health_worker()


@pytest.fixture
def hub(meena: User) -> Clinic:
    """Of her health centre; nobody is on duty yet."""
    return a_hub(centre_of(meena), name="Harinagar PHC")


@pytest.fixture(autouse=True)
def _within_one_day() -> None:
    """A line and its numbers are of one day: no test begins at the end of it."""
    now = timezone.localtime()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight - now < END_OF_DAY:
        time.sleep((midnight - now).total_seconds())


@pytest.fixture
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still: no pause is over and no window of a limit ends while somebody tries.

    It is later than what a column takes for now by itself.
    """
    now = timezone.now() + timedelta(minutes=10)
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture(autouse=True)
def _clean(settings: object, tmp_path: Path) -> None:
    cache.clear()
    MemoryBackend.sent.clear()
    settings.SMS_BACKEND = "accounts.sms.MemoryBackend"  # type: ignore[attr-defined]
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    # Each test client starts the site anew: static files are looked for when they are asked for.
    settings.WHITENOISE_AUTOREFRESH = True  # type: ignore[attr-defined]


pytest_plugins = ["tests.running"]
