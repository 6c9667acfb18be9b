"""Forms of patients: what was typed stands there again when something came between."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import AccountSession, Patient
from tests.browser.acting import people, register, signs_in
from tests.factories import a_clinic, a_district, a_patient, on_duty
from tests.running import Site

pytestmark = pytest.mark.chromium
WORDS = "Fever since Sunday, worse at night"


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    with people(chromium, site.urls[:1], (360, 640)) as (page,):
        yield page


@pytest.fixture
def asha(page: Page) -> Patient:
    """Signed in here."""
    patient = a_patient()
    signs_in(page, patient.account)
    return patient


def test_a_form_whose_session_had_ended_is_there_again_after_signing_in(
    site: Site, page: Page, asha: Patient
) -> None:
    clinic = a_clinic()
    on_duty(clinic)
    page.goto(f"/book/{asha.uid}/{clinic.uid}/")
    page.get_by_label("What is wrong?").fill(WORDS)
    page.get_by_label("A few days").check()
    AccountSession.objects.filter(account=asha.account).delete()
    page.get_by_role("button", name="Go on").click()
    told = len(site.gateway.texts_to(asha.account.phone))
    page.get_by_label("Your mobile number").fill(asha.account.phone)
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("The 6 digits").fill(site.gateway.code_for(asha.account.phone, told))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("What you had typed is here again")).to_be_visible()
    expect(page.get_by_label("What is wrong?")).to_have_value(WORDS)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Step 2 of 3")).to_be_visible()
    draft = asha.consultations.get()
    assert (draft.complaint, draft.since) == (WORDS, "days")


def test_another_language_keeps_what_is_typed(page: Page, asha: Patient) -> None:
    a_district()
    page.goto("/patients/new/")
    page.get_by_label("Full name").fill("Ravi Menon")
    page.get_by_label("State").select_option("32")
    page.get_by_label("District").select_option("555")
    page.get_by_role("button", name="हिन्दी").click()
    expect(page.locator("html")).to_have_attribute("lang", "hi")
    for name, value in {"name": "Ravi Menon", "state": "32", "district": "555"}.items():
        expect(page.locator(f"[name={name}]")).to_have_value(value)
    expect(page.locator("[data-kept]")).to_be_hidden()


def test_what_arrived_does_not_stand_in_the_next_form(page: Page, asha: Patient) -> None:
    a_district()
    page.goto("/patients/new/")
    register(page, "Ravi Menon")
    page.wait_for_url("**/book/**")
    page.goto("/patients/")
    page.locator("a[href='/patients/new/']").click()
    expect(page.get_by_label("Full name")).to_have_value("")
