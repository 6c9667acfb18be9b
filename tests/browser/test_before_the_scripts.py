"""Over a slow network a page is there before its scripts: what is typed meanwhile counts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import User
from consult import actions as consult
from tests.browser.acting import people, signs_in
from tests.factories import (
    a_clinic,
    a_district,
    a_health_worker,
    a_hub,
    a_user,
    an_opinion,
    at_centre,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
)
from tests.running import Site

pytestmark = pytest.mark.chromium


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    with people(chromium, site.urls[:1], (1280, 800)) as (page,):
        yield page


@contextmanager
def before_the_scripts(page: Page, url: str, user: User, *, staff: bool = False) -> Iterator[None]:
    """Their page, whose scripts come when the block is done."""
    held: list[Route] | None = []
    page.route(
        "**/static/js/**",
        lambda route: route.continue_() if held is None else held.append(route),
    )
    signs_in(page, user, staff=staff)
    page.goto(url, wait_until="commit")
    yield
    released, held = held, None
    for route in released:
        route.continue_()


def test_the_case_of_a_health_centre_saves_itself(site: Site, page: Page):
    meena = a_health_worker()
    a_hub(centre_of(meena))
    case = at_centre(meena)
    url = f"{site.url}/centre/consultations/{case.uid}/case/"
    with before_the_scripts(page, url, meena, staff=True):
        page.get_by_label("What you see and feel").fill("Scaly edges")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    case.refresh_from_db()
    assert case.examination == "Scaly edges"


def test_a_doctors_notes_save_themselves(site: Site, page: Page):
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    url = f"{site.url}/doctor/consultations/{consultation.uid}/"
    with before_the_scripts(page, url, consultation.doctor.user, staff=True):
        page.get_by_label("Findings").fill("Throat red")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert consultation.note.findings == "Throat red"


def test_the_districts_are_those_of_the_state(site: Site, page: Page):
    a_district()
    with before_the_scripts(page, f"{site.url}/patients/new/", a_user()):
        page.get_by_label("State").select_option("32")
    district = page.get_by_label("District")
    expect(district.get_by_role("option")).to_have_text(["Choose…", "Ernakulam"])
    expect(district).to_have_value("")  # nobody chose one
    district.select_option("Ernakulam")


def test_the_districts_come_when_the_network_is_back(site: Site, page: Page):
    a_district()
    signs_in(page, a_user())
    page.goto(f"{site.url}/patients/new/")
    page.route("**/districts/?state=32", lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed"):
        page.get_by_label("State").select_option("32")
    district = page.get_by_label("District")
    expect(district.get_by_role("option")).to_have_text(["Choose…", "Ernakulam"])


def test_the_districts_of_a_state_passed_on_the_way_come_too_late(site: Site, page: Page):
    a_district()
    signs_in(page, a_user())
    late: list[Route] = []
    page.route("**/districts/?state=29", lambda route: late.append(route))
    page.goto(f"{site.url}/patients/new/")
    state, district = page.get_by_label("State"), page.get_by_label("District")
    with page.expect_request("**/districts/?state=29"):
        state.select_option("29")
    state.select_option("32")
    options = district.get_by_role("option")
    expect(options).to_have_text(["Choose…", "Ernakulam"])
    with page.expect_event("requestfinished", lambda one: one.url.endswith("?state=29")):
        late[0].continue_()
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(options).to_have_text(["Choose…", "Ernakulam"])


def test_an_emergency_is_shown(site: Site, page: Page):
    """To a patient whose page was on its way when the doctor called it one: no message is heard of it."""
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    url = f"{site.url}/consultations/{consultation.uid}/"
    with before_the_scripts(page, url, consultation.patient.account):
        consult.declare_emergency(consultation=consultation, by=consultation.doctor.user)
    expect(page.get_by_text("Go to a hospital now.")).to_be_visible()


def test_a_health_worker_sees_what_is_asked_of_whom(site: Site, page: Page):
    meena = a_health_worker()
    hub = a_hub(centre_of(meena))
    consultation = before_the_screen(meena, hub, on_duty(hub))
    url = f"{site.url}/centre/consultations/{consultation.uid}/"
    with before_the_scripts(page, url, meena, staff=True):
        doctor = consultation.doctor.user
        consult.instruct(consultation=consultation, by=doctor, words="Measure the pulse again")
        an_opinion(consultation, a_clinic(name="Skin, hub"))
    expect(page.get_by_text("Measure the pulse again")).to_be_visible()
    expect(page.get_by_text("Skin, hub")).to_be_visible()


def test_a_doctor_sees_what_was_done(site: Site, page: Page):
    meena = a_health_worker()
    hub = a_hub(centre_of(meena))
    consultation = before_the_screen(meena, hub, on_duty(hub))
    doctor = consultation.doctor.user
    asked = consult.instruct(consultation=consultation, by=doctor, words="Measure the pulse again")
    url = f"{site.url}/doctor/consultations/{consultation.uid}/"
    with before_the_scripts(page, url, doctor, staff=True):
        consult.carry_out(instruction=asked, by=meena, answer="88 a minute")
    expect(page.get_by_text("88 a minute")).to_be_visible()
