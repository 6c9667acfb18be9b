"""The waiting room moves by itself: what its socket does not know, the page asks for anew."""

import pytest
from playwright.sync_api import Browser, expect

from queues import actions as queues
from tests.factories import a_clinic, a_doctor, on_duty, waiting
from tests.running import Site, session_of

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.redis,
]  # what happens here is heard in another process


def test_who_is_kept_apart_from_the_only_doctor_sees_at_once_when_another_comes_and_goes(
    chromium: Browser, site: Site
):
    clinic, das = a_clinic(), a_doctor()
    rao = on_duty(clinic)
    consultation = waiting(clinic)
    account = consultation.patient.account
    queues.keep_apart(doctor=rao, patient=consultation.patient)
    context = chromium.new_context(base_url=site.url)
    context.add_cookies([{"name": "sessionid", "value": session_of(account), "url": site.url}])
    page = context.new_page()
    page.goto(f"/consultations/{consultation.uid}/")
    nobody = page.get_by_text("No doctor here can see you at this moment. You keep your place")
    expect(nobody).to_be_visible()

    on_duty(clinic, das)
    expect(page.locator("[data-doctors]")).to_have_text("1")
    expect(nobody).to_be_hidden()
    queues.end_duty(doctor=das)
    expect(nobody).to_be_visible()
    context.close()
