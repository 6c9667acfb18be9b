"""What a room sends while its call goes on: nobody's page is loaded anew, and nothing typed is lost."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from consult.models import Consultation
from tests.calling import Person, both_in
from tests.factories import a_clinic, a_photo, in_the_room, on_duty, the_formulary
from tests.running import Site

pytestmark = pytest.mark.chromium


@pytest.fixture
def consultation(site: Site) -> Consultation:
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def test_a_prescription_is_refused_issued_and_corrected_in_the_middle_of_the_call(
    site: Site, browser: Browser, consultation: Consultation
) -> None:
    with both_in(browser, consultation, site.url) as (doctor, patient):
        come_together(doctor, patient)
        page = doctor.page
        issue = page.get_by_role("button", name="Issue the prescription")
        issue.click()
        expect(
            page.get_by_text("Write a diagnosis or a provisional diagnosis first.")
        ).to_be_visible()
        page.get_by_label("Diagnosis").fill("Viral fever")
        write_zinc(page)
        issue.click()
        expect(page.get_by_text(re.compile(r"Prescription RX\S+ is issued"))).to_be_visible()
        expect(patient.page.get_by_text("Your prescription")).to_be_visible()
        page.get_by_role("button", name="Correct the prescription").click()
        rows = page.locator("[data-medicines]").get_by_label("Generic name")
        expect(rows.first).to_have_value("Zinc sulfate")
        page.get_by_role("button", name="Add a medicine").click()
        expect(rows.last).to_be_focused()
        goes_on(doctor, patient)


def test_a_photo_is_sent_in_the_middle_of_the_call_and_a_disguise_is_refused(
    site: Site, browser: Browser, consultation: Consultation
) -> None:
    with both_in(browser, consultation, site.url) as (doctor, patient):
        come_together(doctor, patient)
        send_file(patient.page, "rash.jpg", a_photo(), "Since Sunday")
        expect(doctor.page.get_by_role("link", name="rash.jpg")).to_be_visible()
        expect(patient.page.get_by_role("link", name="rash.jpg")).to_be_visible()
        send_file(patient.page, "virus.jpg", b"MZ\x90 no picture", "And this")
        expect(patient.page.locator("[data-chat-error]")).to_be_visible()
        expect(patient.page.get_by_label("Your message")).to_have_value("And this")
        goes_on(doctor, patient)
        expect(patient.page.locator("[data-file-name]")).to_have_text("virus.jpg")
    assert consultation.messages.count() == 1


def write_zinc(page: Page) -> None:
    row = page.locator("[data-medicines] [data-row]").first
    row.get_by_label("Generic name").fill("Zinc sulfate")
    row.get_by_label("Form").select_option("tablet")
    row.get_by_label("Strength").fill("20 mg")
    row.get_by_label("Dose").fill("1-0-0")
    row.get_by_label("Days").fill("14")


def send_file(page: Page, name: str, content: bytes, words: str) -> None:
    page.get_by_label("Your message").fill(words)
    page.locator("#id_file").set_input_files(
        {"name": name, "mimeType": "image/jpeg", "buffer": content}
    )
    page.get_by_role("button", name="Send").click()


def come_together(*people: Person) -> None:
    """And each page is marked, so that another in its place would be known."""
    for person in people:
        person.is_connected()
        person.page.evaluate("window.isTheSame = true")


def goes_on(*people: Person) -> None:
    for person in people:
        assert person.page.evaluate("window.isTheSame") is True
        person.is_connected()
        person.has_picture()
