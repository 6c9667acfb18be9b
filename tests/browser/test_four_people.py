"""Four in the call of a health centre: its screen, the doctor, a specialist, and the patient's phone."""

from contextlib import ExitStack
from functools import partial
from operator import gt

import pytest
from playwright.sync_api import Browser, expect

from consult import actions
from consult.models import Consultation
from tests.calling import PICTURES_WITHIN, Person, comes_in, context_of, until
from tests.factories import (
    a_health_worker,
    a_hub,
    a_specialist,
    an_opinion,
    before_the_screen,
    centre_of,
    on_duty,
)
from tests.running import Site

pytestmark = pytest.mark.chromium

# Of each tile by whose it is: whether this page has shown a picture in it, or says why it is given up.
PICTURES = """
() => {
  const weak = document.querySelector('[data-word="weak"]').textContent;
  return Object.fromEntries([...document.querySelectorAll(".tile")].map((tile) => [
    tile.querySelector("[data-who]").textContent,
    tile.querySelector("video").getVideoPlaybackQuality().totalVideoFrames > 0
      || tile.querySelector("[data-how]").textContent === weak,
  ]));
}
"""
# Of each connection: how many packets of sound have come.
SOUND = """
() => Promise.all(connections.live().map(async (one) => {
  const entries = [...(await one.getStats()).values()];
  return entries.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio")?.packetsReceived ?? 0;
}))
"""


@pytest.fixture
def consultation(site: Site) -> Consultation:
    """Before Meena's screen, with Dr Rao; a specialist has joined."""
    meena = a_health_worker()
    hub, skin = a_hub(centre_of(meena)), a_hub(centre_of(meena), "dermatology")
    consultation = before_the_screen(meena, hub, on_duty(hub))
    opinion = an_opinion(consultation, skin)
    actions.join(opinion=opinion, specialist=a_specialist(skin))
    return consultation


def sees(person: Person, *others: str) -> None:
    """Everybody's picture came and nobody else's, and each of them is still heard.

    The picture need not go on: where the machine is slow it is given up before the sound, of twelve at
    once sometimes before it was there.
    """
    expect(person.page.locator(".tile")).to_have_count(len(others))
    everybody = dict.fromkeys(others, True)
    pictures = partial(person.page.evaluate, PICTURES)
    until(lambda: pictures() == everybody, PICTURES_WITHIN, pictures)
    until(lambda: is_heard(person, len(others)))


def is_heard(person: Person, many: int) -> bool:
    before = person.page.evaluate(SOUND)
    person.page.wait_for_timeout(500)
    now = person.page.evaluate(SOUND)
    return len(before) == len(now) == many and all(map(gt, now, before))


def test_four_see_each_other_until_the_patient_takes_the_phone_back(
    site: Site, browser: Browser, consultation: Consultation
):
    specialist = consultation.opinions.get().specialist
    staff = [consultation.requested_by, consultation.doctor.user, specialist.user]
    with ExitStack() as open_pages:
        contexts = [
            open_pages.enter_context(context_of(browser, site.urls[0], user, staff=True))
            for user in staff
        ]
        account = consultation.patient.account
        contexts.append(open_pages.enter_context(context_of(browser, site.urls[-1], account)))
        worker, doctor, asked, phone = (
            comes_in(context, consultation, user)
            for context, user in zip(contexts, [*staff, account], strict=True)
        )
        sees(worker, "Doctor", "Specialist")
        expect(phone.page.locator("[data-call]")).to_have_count(0)
        loaded = worker.page.evaluate("performance.timeOrigin")

        worker.press("The patient says yes: it may join")
        sees(phone, "Doctor", "Specialist", "Health worker")
        sees(worker, "Doctor", "Specialist", "Patient's phone")
        sees(doctor, "Health worker", "Specialist", "Patient's phone")
        sees(asked, "Health worker", "Doctor", "Patient's phone")

        worker.press("The patient takes it back: put the phone out")
        expect(phone.page.locator("[data-call]")).to_have_count(0)
        sees(worker, "Doctor", "Specialist")
        sees(doctor, "Health worker", "Specialist")
        sees(asked, "Health worker", "Doctor")
        assert worker.page.evaluate("performance.timeOrigin") == loaded  # the call went on


def test_the_phone_is_not_the_patient_for_whom_the_doctor_waits(
    site: Site, browser: Browser, consultation: Consultation
):
    meena, account = consultation.requested_by, consultation.patient.account
    actions.let_phone_in(consultation=consultation, by=meena)
    with (
        context_of(browser, site.urls[0], consultation.doctor.user, staff=True) as doctors,
        context_of(browser, site.urls[0], meena, staff=True) as workers,
        context_of(browser, site.urls[-1], account) as phones,
    ):
        doctor = comes_in(doctors, consultation, consultation.doctor.user)
        choices = doctor.page.locator("[data-choices]")
        choices.evaluate("one => { one.dataset.after = '1'; }")
        comes_in(phones, consultation, account)
        worker = comes_in(workers, consultation, meena)
        sees(doctor, "Patient's phone", "Health worker")
        expect(choices).to_be_hidden()
        worker.page.goto("/centre/")
        expect(choices).to_be_visible()
        sees(doctor, "Patient's phone")
