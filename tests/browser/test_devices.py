"""The page on which a patient tries camera, microphone, speaker and network while waiting."""

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from consult import actions
from consult.models import Consultation
from tests.calling import Person, context_of, until
from tests.factories import a_clinic, called, on_duty, waiting
from tests.running import Site

pytestmark = pytest.mark.chromium


@pytest.fixture
def consultation(site: Site) -> Consultation:
    clinic = a_clinic()
    on_duty(clinic)
    return waiting(clinic)


@pytest.fixture
def page(site: Site, browser: Browser, consultation: Consultation) -> Iterator[Page]:
    context = context_of(browser, site.url, consultation.patient.account)
    made = context.new_page()
    made.goto(reverse("consult:devices", args=[consultation.uid]))
    yield made
    context.close()


def says(page: Page, trial: str, words: str) -> None:
    result = page.locator(f"section[data-{trial}] .result")
    expect(result).to_contain_text(words)


def try_it(page: Page) -> None:
    page.locator("[data-start]").click()


def finds_the_network_good(page: Page) -> bool:
    """Of a machine that is busy at that moment the page says, rightly, that its network is slow."""
    try_it(page)
    expect(page.locator("[data-start]")).to_be_visible()  # tried to the end
    return page.locator("section[data-network]").get_attribute("data-result") == "good"


def test_what_works_is_said_and_the_speaker_that_was_chosen_is_used_in_the_call(
    site: Site, browser: Browser, page: Page, consultation: Consultation
):
    until(lambda: finds_the_network_good(page))
    says(page, "camera", "this is how the doctor sees you")
    says(page, "microphone", "we hear you")
    says(page, "network", "Good.")
    page.get_by_role("button", name="Play a sound").click()
    page.get_by_role("button", name="I hear it").click()
    says(page, "speaker", "Good.")
    chosen = page.locator("[data-speakers] option").last.get_attribute("value")
    page.get_by_label("Which speaker?").select_option(chosen)
    page.reload()
    try_it(page)
    expect(page.get_by_label("Which speaker?")).to_have_value(str(chosen))
    doctor = consultation.clinic.duties.get().doctor
    actions.begin(consultation=called(consultation.clinic, doctor), by=consultation.patient.account)
    # Called and begun in one moment: the way into the waiting room is broken off by that into the room.
    expect(page).to_have_url(re.compile(f"/consultations/{consultation.uid}/$"))
    doctors = context_of(browser, site.url, doctor.user, staff=True)
    try:
        doctors.new_page().goto(reverse("consult:doctors_room", args=[consultation.uid]))
        Person(page).is_connected()
        assert chosen
        sink = "document.querySelector('.tile video')?.sinkId"
        until(lambda: page.evaluate(sink) == chosen)
    finally:
        doctors.close()


def test_what_is_refused_is_said_with_what_to_do(page: Page):
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    try_it(page)
    says(page, "camera", "Not allowed")
    says(page, "microphone", "Not allowed")
    expect(page.get_by_text("Switch on camera and microphone")).to_be_visible()
    page.evaluate("delete navigator.mediaDevices.getUserMedia")
    try_it(page)
    says(page, "camera", "this is how the doctor sees you")
    expect(page.get_by_text("Switch on camera and microphone")).to_be_hidden()


def test_sound_only_is_remembered_and_opens_no_camera(page: Page):
    page.get_by_text("With sound only").click()
    page.reload()
    expect(page.get_by_label("With sound only")).to_be_checked()
    try_it(page)
    says(page, "camera", "Not needed")
    says(page, "microphone", "we hear you")
    expect(page.locator("[data-own]")).to_be_hidden()
