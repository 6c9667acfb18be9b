"""What takes seconds to start is started once for all scenes: two browsers.

Not for longer: Playwright keeps the thread's event loop. A scene that changes a server starts one of
its own.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright

from tests.calling import FAKE_MEDIA
from tests.running import launch, playing


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with playing() as started:
        yield started


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """As people have it, before they are asked for camera and microphone."""
    started = launch(playwright)
    yield started
    started.close()


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """With a camera and a microphone that need no permission."""
    # The certificate of the tests' coturn is its own.
    started = launch(playwright, *FAKE_MEDIA, "--ignore-certificate-errors")
    yield started
    started.close()
