"""The waiting room moves by itself: what its socket does not know, the page asks for anew."""

import pytest
from playwright.sync_api import Browser, Page, expect

from consult.models import Consultation
from queues import actions as queues
from tests.factories import a_clinic, a_doctor, on_duty, waiting
from tests.running import SOON, Site, session_of

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.redis,
]  # what happens here is heard in another process


def waiting_page(chromium: Browser, site: Site, consultation: Consultation) -> Page:
    context = chromium.new_context(base_url=site.url)
    context.set_default_timeout(SOON * 1000)
    key = session_of(consultation.patient.account)
    context.add_cookies([{"name": "sessionid", "value": key, "url": site.url}])
    page = context.new_page()
    page.goto(f"/consultations/{consultation.uid}/")
    return page


def test_who_is_kept_apart_from_the_only_doctor_sees_at_once_when_another_comes_and_goes(
    chromium: Browser, site: Site
):
    clinic, das = a_clinic(), a_doctor()
    rao = on_duty(clinic)
    consultation = waiting(clinic)
    queues.keep_apart(doctor=rao, patient=consultation.patient)
    page = waiting_page(chromium, site, consultation)
    nobody = page.get_by_text("No doctor here can see you at this moment. You keep your place")
    expect(nobody).to_be_visible()

    on_duty(clinic, das)
    expect(page.locator("[data-doctors]")).to_have_text("1")
    expect(nobody).to_be_hidden()
    queues.end_duty(doctor=das)
    expect(nobody).to_be_visible()
    page.context.close()


def test_a_wait_of_hours_is_told_in_hours_and_in_minutes_once_it_is_shorter(
    chromium: Browser, site: Site
):
    clinic = a_clinic(usual_minutes=60)
    on_duty(clinic)
    before = [waiting(clinic) for _ in range(4)]
    page = waiting_page(chromium, site, waiting(clinic))
    told = page.locator("[data-wait]")
    expect(told).to_contain_text("hours")
    expect(told).not_to_contain_text("minutes", use_inner_text=True)
    for consultation in before:
        queues.leave_line(token=consultation.token)
    expect(told).to_contain_text("minutes", use_inner_text=True)
    expect(told).not_to_contain_text("hours", use_inner_text=True)
    page.context.close()


def test_nobody_is_called_the_next_while_no_doctor_is_on_duty(chromium: Browser, site: Site):
    clinic = a_clinic()
    rao = on_duty(clinic)
    consultation = waiting(clinic)
    queues.end_duty(doctor=rao)
    page = waiting_page(chromium, site, consultation)
    is_next = page.get_by_text("You are next.")
    nobody = page.get_by_text("No doctor is on duty at this moment.")
    expect(nobody).to_be_visible()
    expect(is_next).to_be_hidden()
    on_duty(clinic, rao)
    expect(is_next).to_be_visible()
    expect(nobody).to_be_hidden()
    queues.end_duty(doctor=rao)
    expect(nobody).to_be_visible()
    expect(is_next).to_be_hidden()
    page.context.close()


def test_a_network_that_goes_and_comes_is_told_when_the_browser_knows_it(
    chromium: Browser, site: Site
):
    clinic = a_clinic()
    on_duty(clinic)
    page = waiting_page(chromium, site, waiting(clinic))
    gone = page.get_by_text("No connection.")
    page.wait_for_load_state()
    page.context.set_offline(True)
    expect(gone).to_be_visible()
    page.context.set_offline(False)
    expect(gone).to_be_hidden()
    page.context.close()
