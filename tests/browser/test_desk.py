"""The doctor's desk: the next patient comes into the page that stays."""

import pytest
from playwright.sync_api import Browser, Page, expect

from consult import actions
from queues.models import Token
from tests.browser.acting import hears, people, staff_sign_in
from tests.calling import until
from tests.factories import a_clinic, a_doctor, a_patient, gone, on_duty, stay, waiting
from tests.running import Site

pytestmark = pytest.mark.chromium


def test_calls_are_answered_in_place_until_the_patient_opens_the_room(
    site: Site, chromium: Browser
) -> None:
    clinic = a_clinic()
    rao = on_duty(clinic, a_doctor())
    case = waiting(clinic, a_patient(name="Asha Menon"))
    stay(case, waiting(clinic, a_patient(name="Ravi Das")))
    with people(chromium, site.urls, (1280, 800)) as (page,):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
        unheard = ["now"]
        is_greeted = hears(page, unheard)
        staff_sign_in(page, "/doctor/", rao.user)
        expect(row_of(page, "Ravi Das")).to_be_visible()
        is_greeted()  # else its greeting may say of the call what the answer has not said yet
        asked.clear()
        page.evaluate("window.isTheSame = true")
        page.keyboard.press("n")
        expect(page.locator("[data-held=called]")).to_contain_text("Asha Menon")
        expect(row_of(page, "Asha Menon")).to_have_count(0)
        expect(row_of(page, "Ravi Das")).to_be_visible()
        expect(page.get_by_role("button", name="Call next")).to_be_hidden()
        paths = [one.split("/", 3)[3] for one in asked]
        assert [path for path in paths if not path.startswith("static/")] == ["doctor/call/"]
        assert page.evaluate("window.isTheSame") is True
        unheard.clear()  # without Redis it is the look that tells
        actions.begin(consultation=case, by=case.patient.account)
        page.wait_for_url(f"**/doctor/consultations/{case.uid}/")
    assert Token.objects.held().count() == 1


def test_a_call_that_brings_nobody_says_so_where_the_doctor_is(
    site: Site, chromium: Browser
) -> None:
    clinic = a_clinic()
    rao = on_duty(clinic, a_doctor())
    gone(waiting(clinic, a_patient(name="Ravi Das")))
    with people(chromium, site.urls, (1280, 800)) as (page,):
        staff_sign_in(page, "/doctor/", rao.user)
        page.evaluate("window.isTheSame = true")
        button = page.get_by_role("button", name="Call next")
        button.click()
        expect(page.get_by_text("Nobody is on the page now.")).to_be_visible()
        expect(button).to_be_visible()
        assert page.evaluate("window.isTheSame") is True


# Two messages may come at once: what was shown in between counts too.
NOTICE_HINT = """() => {
  const hint = document.querySelector("[data-others-first]");
  new MutationObserver(() => { window.wasLater ||= !hint.hidden; }).observe(hint, { attributes: true });
}"""


def test_whoever_is_asked_later_may_call_all_the_same(site: Site, chromium: Browser) -> None:
    clinic = a_clinic()
    with people(chromium, site.urls[:1], (1280, 800), (1280, 800)) as pages:
        for page in pages:
            staff_sign_in(page, "/doctor/", on_duty(clinic, a_doctor()).user)
            expect(page.locator("[data-desk]")).to_be_visible()
            page.evaluate(NOTICE_HINT)
        stay(waiting(clinic, a_patient(name="Ravi Das")))
        later = told_later(pages)
        later.keyboard.press("n")
        expect(later.locator("[data-held=called]")).to_contain_text("Ravi Das")


def told_later(pages: list[Page]) -> Page:
    """The first page to be told that a colleague is asked first."""
    return until(lambda: next((page for page in pages if page.evaluate("window.wasLater")), None))


def row_of(page: Page, name: str):
    return page.locator("[data-line] tbody tr").filter(has_text=name)
