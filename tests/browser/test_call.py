"""The call between real browsers with fake cameras: direct, through TURN, and after trouble."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from queues.models import Clinic
from tests.calling import FAKE_MEDIA, Turn, both_in
from tests.factories import a_clinic, in_the_room, on_duty
from tests.running import Site, launch, playing

pytestmark = [pytest.mark.chromium]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with playing() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = launch(playwright, *FAKE_MEDIA)
    yield started
    started.close()


@pytest.fixture(scope="module")
def turn() -> Iterator[Turn]:
    started = Turn(Path(os.environ["VAR_DIR"]) / "turn")
    yield started
    started.kill()


@pytest.fixture
def clinic(site: Site) -> Clinic:
    return a_clinic()


@pytest.fixture
def consultation(clinic: Clinic):
    return in_the_room(clinic, on_duty(clinic))


def test_two_people_see_and_hear_each_other_directly(site: Site, browser: Browser, consultation):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as people:
        for person in people:
            person.sees_state("connected")
            person.receives("frames")
            person.receives("energy", 0.001)
            assert {kind for kind, _protocol in person.look()["kinds"]} <= {"host", "prflx"}
