"""A prescription written with the keyboard alone, and what the page says meanwhile."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from consult.drug_search import search_drugs
from consult.models import EmergencyReferral, Note, Prescription
from tests.browser.acting import people, signs_in, staff_sign_in
from tests.calling import until
from tests.factories import a_clinic, a_doctor, in_the_room, on_duty, the_formulary
from tests.running import Site

pytestmark = pytest.mark.chromium


def test_the_keyboard_alone_writes_checks_and_issues(site: Site, chromium: Browser) -> None:
    the_formulary()
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic, a_doctor()))
    with people(chromium, site.urls, (1280, 800)) as (page,):
        staff_sign_in(page, "/doctor/", consultation.doctor.user)
        page.goto(f"/doctor/consultations/{consultation.uid}/")
        page.get_by_label("Diagnosis").fill("Viral fever")
        write_paracetamol(page)
        a_refused_medicine_is_named_while_it_is_written(page)
        page.get_by_role("button", name="Issue the prescription").press("Enter")
        expect(page.get_by_text(re.compile(r"Prescription RX\S+ is issued"))).to_be_visible()
    kept = Prescription.objects.get(state="issued").document["lines"]
    assert [
        (line["generic"], line["strength"], line["frequency"], line["quantity"]) for line in kept
    ] == [("Paracetamol", "650 mg", "bd", 10)]


def test_what_was_typed_is_kept_when_the_page_is_left_at_once(
    site: Site, chromium: Browser
) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic, a_doctor()))
    with people(chromium, site.urls, (1280, 800)) as (page,):
        staff_sign_in(page, "/doctor/", consultation.doctor.user)
        page.goto(f"/doctor/consultations/{consultation.uid}/")
        page.get_by_label("Findings").fill("Throat red")
        page.goto("about:blank")
        until(lambda: Note.objects.filter(findings="Throat red").exists())


def test_a_longer_text_is_looked_for_in_what_was_found_before(
    site: Site, chromium: Browser
) -> None:
    the_formulary()
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic, a_doctor()))
    asked: list[str] = []
    with people(chromium, site.urls, (1280, 800)) as (page,):
        staff_sign_in(page, "/doctor/", consultation.doctor.user)
        page.goto(f"/doctor/consultations/{consultation.uid}/")
        page.on("request", lambda one: "typed/?q=" in one.url and asked.append(one.url))
        page.locator("[data-medicines] [data-row]").first.get_by_label("Generic name").focus()
        for more, shown in [("para", "para"), ("CET", "paracet"), ("x", "paracetx")]:
            page.keyboard.insert_text(more)
            expected = [one.generic for one in search_drugs(shown).rows]
            expect(page.locator("#drug-list strong")).to_have_text(expected)
    assert [url.partition("q=")[2] for url in asked] == ["para"]


def write_paracetamol(page: Page) -> None:
    row = page.locator("[data-medicines] [data-row]").first
    row.get_by_label("Generic name").focus()
    page.keyboard.insert_text("para")  # at once: one search, and no second list while keys choose
    expect(page.locator("#drug-list li").first).to_contain_text("500 mg")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row.get_by_label("Generic name")).to_have_value("Paracetamol")
    expect(row.get_by_label("Strength")).to_have_value("650 mg")
    expect(row.get_by_label("Dose")).to_be_focused()
    page.keyboard.type("1-0-1")
    expect(row.get_by_label("How often")).to_have_value("bd")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(row.get_by_label("Days")).to_be_focused()
    page.keyboard.type("5")
    expect(row.get_by_label("Quantity")).to_have_attribute("placeholder", "10")
    expect(page.get_by_text("The rules allow what is written.")).to_be_visible()


def a_refused_medicine_is_named_while_it_is_written(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    row = page.locator("[data-medicines] [data-row]").last
    expect(row.get_by_label("Generic name")).to_be_focused()
    page.keyboard.insert_text("morph")
    expect(page.locator("#drug-list li").first).to_contain_text("prohibited")
    page.keyboard.press("Enter")
    page.keyboard.type("1-0-1")
    row.get_by_label("Days").focus()
    page.keyboard.type("2")
    expect(page.get_by_text("Morphine may never be prescribed by telemedicine.")).to_be_visible()
    page.get_by_role("button", name="Issue the prescription").press("Enter")
    expect(page.get_by_text("The rules do not allow this prescription.")).to_be_visible()
    rows = page.locator("[data-medicines] [data-row]")
    expect(rows.nth(1).get_by_label("Generic name")).to_have_value("Morphine")
    for field in ("Generic name", "Strength", "Dose", "Days"):
        rows.nth(1).get_by_label(field).fill("")
    rows.nth(1).get_by_label("Form").select_option("")
    rows.nth(1).get_by_label("How often").select_option("")


def test_an_emergency_reaches_the_patients_open_page(site: Site, chromium: Browser) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic, a_doctor()))
    with people(chromium, site.urls, (360, 640), (1280, 800)) as (patient, doctor):
        signs_in(patient, consultation.patient.account)
        patient.goto(f"/consultations/{consultation.uid}/")
        staff_sign_in(doctor, "/doctor/", consultation.doctor.user)
        doctor.goto(f"/doctor/consultations/{consultation.uid}/")
        patient.get_by_label("Your message").fill("half a sentence")
        doctor.get_by_text("Emergency", exact=True).click()
        doctor.get_by_label("Findings").fill("Cold sweat")  # the form goes before it saves itself
        sure = doctor.get_by_role("button", name="Yes, an emergency")
        expect(sure).to_be_visible()
        assert not EmergencyReferral.objects.exists()  # a slip of the finger sends nobody away
        sure.click()
        expect(patient.get_by_text("Go to a hospital now.")).to_be_visible()
        expect(patient.get_by_label("Your message")).to_have_value("half a sentence")
        doctor.get_by_label("First aid and life-saving advice").fill("Lie down.")
        doctor.get_by_label("Where to go").fill("District hospital")
        doctor.get_by_label("I told the patient to go in person, now.").check()
        doctor.get_by_role("button", name="End: the patient goes to a hospital").click()
        expect(patient.get_by_text("District hospital")).to_be_visible()
        assert consultation.note.findings == "Cold sweat"
        expect(patient.get_by_role("link", name="Call an ambulance: 108")).to_be_visible()
