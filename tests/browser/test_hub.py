"""Hub and spoke in three browsers: a health worker, a doctor and a specialist, one case before them."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Request, expect

from accounts.models import Facility, Post, User
from consult.models import Consultation, Dispensing, FollowUp, Opinion
from queues.models import HubLink, Token
from tests.browser.acting import people, staff_sign_in
from tests.calling import until
from tests.factories import (
    a_clinic,
    a_district,
    a_doctor,
    a_speciality,
    a_staff_user,
    gone,
    on_duty,
    the_formulary,
)
from tests.running import Site

pytestmark = pytest.mark.chromium
PHONE = "098765 01234"


@dataclass
class Cast:
    """A sub-centre, its PHC, and a specialist's clinic; the PHC is hub and spoke at once."""

    meena: User
    dr_alam: User
    dr_das: User


@pytest.fixture
def cast(site: Site) -> Cast:
    the_formulary()
    district = a_district()
    belwa, phc, hospital = (
        Facility.objects.create(name=name, kind=kind, state=district.state, district=district)
        for name, kind in [
            ("Belwa Health Centre", Facility.Kind.SUB_CENTRE),
            ("Harinagar PHC", Facility.Kind.PHC),
            ("Ganga Hospital", Facility.Kind.DISTRICT_HOSPITAL),
        ]
    )
    general = a_speciality()
    general.is_general = True
    general.save()
    phc_line = a_clinic(name="Harinagar: general", facility=phc, takes_opd=False)
    skin = a_speciality("dermatology")
    skin_line = a_clinic(
        name="Ganga: skin", facility=hospital, takes_opd=False, speciality=skin, call_window=120
    )
    HubLink.objects.create(spoke=belwa, clinic=phc_line)
    HubLink.objects.create(spoke=belwa, clinic=skin_line)
    HubLink.objects.create(spoke=phc, clinic=skin_line)
    meena = a_staff_user(name="Meena Kumari")
    Post.objects.create(user=meena, facility=belwa, role=Post.Role.HEALTH_WORKER)
    alam, das = a_doctor(facility=phc), a_doctor(speciality=skin)
    for doctor, name in ((alam, "Dr Imran Alam"), (das, "Dr Sunil Das")):
        User.objects.filter(pk=doctor.user.pk).update(name=name)
    on_duty(phc_line, alam)
    on_duty(skin_line, das)
    return Cast(meena, alam.user, das.user)


def register(page: Page, name: str) -> None:
    """A newcomer with a telephone, in the health centre's own district."""
    page.get_by_label("Mobile, patient or ABHA number").fill(PHONE)
    page.get_by_role("button", name="Find the patient").click()
    expect(page.get_by_text("Nobody. Look at the spelling")).to_be_visible()
    page.get_by_role("link", name="New patient").click()
    expect(page.get_by_label("Mobile number")).to_have_value(PHONE)
    page.get_by_label("Full name").fill(name)
    page.get_by_label("or age in years").fill("24")
    page.get_by_label("Female").check()
    page.get_by_label("Address").fill("Canal Side, Belwa")
    page.get_by_role("button", name="Save, new case").click()


def write_case(page: Page) -> None:
    page.get_by_label("What is wrong?").fill("Itching red patches on both arms")
    page.get_by_label("Since when?").select_option("weeks")
    page.get_by_label("Temperature").fill("37.2")
    page.get_by_label("Allergies").fill("none")


def send(page: Page, button: str = "Send") -> None:
    page.get_by_role("button", name="Go on to send").click()
    page.get_by_label("The patient agrees").check()
    page.get_by_label("The patient is here").check()
    page.get_by_role("button", name=button, exact=button == "Send").click()
    expect(page.get_by_label("The patient agrees")).to_have_count(0)  # the next page is there


def call_and_bring_in(worker: Page, doctor: Page) -> None:
    """The doctor presses a key; the health worker's page rings, and the patient is brought in."""
    expect(doctor.get_by_text("here", exact=True)).to_be_visible()
    worker.evaluate("window.isTheSame = true")
    doctor.keyboard.press("n")
    expect(worker.get_by_text("is calling").first).to_be_visible()
    assert worker.evaluate("window.isTheSame")  # its sockets stay open
    worker.get_by_role("button", name="go in").click()
    expect(worker.get_by_text("With the doctor").first).to_be_visible()
    doctor.wait_for_url("**/doctor/consultations/**")  # the desk opens the room by itself


def prescribe(page: Page) -> None:
    page.get_by_label("Diagnosis").fill("Tinea corporis")
    page.get_by_label("Generic name").first.fill("White soft paraffin")
    page.get_by_label("Strength").first.fill("100 %")
    page.get_by_label("Form", exact=True).first.select_option("cream")
    page.get_by_label("Dose").first.fill("thin layer")
    page.get_by_label("How often").first.select_option("bd")
    page.get_by_label("Days").first.fill("14")


def finish(page: Page) -> None:
    """Once the page itself shows that the prescription is issued."""
    expect(page.get_by_text(re.compile(r"Prescription RX\S+ is issued"))).to_be_visible()
    page.get_by_role("button", name="Finish", exact=True).click()


def test_from_the_sub_centre_to_a_specialists_opinion_and_back_to_the_follow_up(
    site: Site, chromium: Browser, cast: Cast
) -> None:
    asked: list[Request] = []
    with people(chromium, site.urls, (1024, 768), (1280, 800), (1280, 800)) as made:
        worker, doctor, specialist = made
        staff_sign_in(worker, "/centre/", cast.meena)
        staff_sign_in(doctor, "/doctor/", cast.dr_alam)
        staff_sign_in(specialist, "/doctor/", cast.dr_das)
        register(worker, "Pinki Kumari")
        write_case(worker)
        expect(worker.get_by_text("Saved", exact=True)).to_be_visible()
        worker.on("request", lambda one: leads_on(one) and asked.append(one))
        send(worker)
        # What is saved is not sent once more.
        assert (asked[0].method, asked[0].url.rsplit("/", 2)[1]) == ("GET", "send")
        call_and_bring_in(worker, doctor)

        # More is asked for, and done.
        doctor.get_by_label("Please").fill("Measure the temperature again")
        doctor.get_by_role("button", name="Ask", exact=True).click()
        expect(worker.get_by_text("Measure the temperature again")).to_be_visible()
        worker.get_by_label("What you found").fill("37.0 now")
        worker.get_by_role("button", name="Done", exact=True).click()
        expect(doctor.get_by_text("37.0 now")).to_be_visible()

        # An opinion: the specialist is told, joins, answers; the doctor stays the treating one.
        doctor.get_by_text("Ask a specialist").click()
        doctor.get_by_label("Which specialist?").select_option(label="Dermatology · Ganga: skin")
        doctor.get_by_label("What do you want to know?").fill("Ringworm or eczema?")
        doctor.get_by_role("button", name="Ask: I stay the treating doctor").click()
        specialist.get_by_role("button", name="Join").click()
        expect(worker.get_by_text("Dr Sunil Das, MBBS, is here too.")).to_be_visible()
        specialist.get_by_label("Your message").fill("Show me the arm, please.")
        specialist.get_by_role("button", name="Send").click()
        expect(worker.get_by_text("Show me the arm, please.")).to_be_visible()
        specialist.get_by_label("Your opinion").fill("Ringworm. No steroid.")
        specialist.get_by_role("button", name="Give this opinion").click()
        expect(doctor.get_by_text("Ringworm. No steroid.")).to_be_visible()

        prescribe(doctor)
        day = timezone.localdate() + timedelta(days=2)
        doctor.get_by_label("Follow-up on").fill(day.isoformat())
        doctor.get_by_role("button", name="Issue the prescription").click()
        expect(worker.get_by_text("The prescription is ready")).to_be_visible()
        finish(doctor)

        worker.get_by_label("Given?").or_(worker.locator("[name=given_1]")).select_option("partly")
        worker.get_by_label("How much, or why not").fill("one tube of two")
        worker.wait_for_load_state()  # with the script that sends it in place
        worker.evaluate("window.isTheSame = true")
        worker.get_by_role("button", name="Note it").click()
        expect(worker.get_by_text("Noted what was given.")).to_be_visible()
        assert worker.evaluate("window.isTheSame")
        worker.get_by_role("link", name="Print page").click()
        expect(worker.get_by_text("generated on a teleconsultation")).to_be_visible()
        worker.get_by_role("link", name="Today").click()
        worker.get_by_role("link", name="Close Pinki Kumari").click()
        worker.get_by_label("Better").check()
        worker.get_by_role("button", name="Close the follow-up").click()
        expect(worker.get_by_text("The follow-up is closed.")).to_be_visible()

    consultation = Consultation.objects.select_related("doctor__user", "token").get()
    assert consultation.state == Consultation.State.COMPLETED
    assert consultation.doctor.user == cast.dr_alam
    assert consultation.token.state == Token.State.DONE
    assert Opinion.objects.get().specialist.user == cast.dr_das
    assert Dispensing.objects.get().given == Dispensing.Given.PARTLY
    assert FollowUp.objects.get().outcome == FollowUp.Outcome.BETTER
    # One SMS, of the prescription: nobody is told of a line they do not sit in.
    assert site.gateway.wait_for("+919876501234", "RX")
    assert len(site.gateway.texts_to("+919876501234")) == 1


def test_a_returned_case_is_sent_on_with_one_click_and_nothing_typed_again(
    site: Site, chromium: Browser, cast: Cast
) -> None:
    with people(chromium, site.urls, (360, 640), (1280, 800), (1280, 800)) as made:
        worker, doctor, specialist = made
        staff_sign_in(worker, "/centre/", cast.meena)
        staff_sign_in(doctor, "/doctor/", cast.dr_alam)
        register(worker, "Pinki Kumari")
        write_case(worker)
        send(worker)
        worker.get_by_role("link", name="Today").click()
        expect(doctor.get_by_text("here", exact=True)).to_be_visible()
        doctor.keyboard.press("n")
        doctor.get_by_role("link", name="Read the case").click()
        doctor.get_by_text("Return this request").click()
        doctor.get_by_label("Why?").select_option("wrong_speciality")
        doctor.get_by_label("What should the health worker do?").fill("For a skin doctor.")
        doctor.get_by_label("Which clinic is right?").select_option(
            label="Dermatology · Ganga: skin"
        )
        doctor.get_by_role("button", name="Return it to the health centre").click()

        expect(worker.get_by_text("For a skin doctor.")).to_be_visible()
        worker.get_by_role("link", name="Look Pinki Kumari").click()
        worker.get_by_role("button", name="The patient is here: send to Ganga: skin").click()
        expect(worker.locator(".token-number")).to_have_text("1")
        staff_sign_in(specialist, "/doctor/", cast.dr_das)
        expect(specialist.get_by_text("Itching red patches on both arms")).to_be_visible()

    first, second = Consultation.objects.order_by("pk")
    assert (first.state, second.state) == ("returned", "requested")
    assert second.continues == first
    assert second.words() == first.words()
    assert second.consent.given_at == first.consent.given_at
    assert [row.value for row in second.observations.all()] == [
        row.value for row in first.observations.all()
    ]


def test_a_case_is_answered_in_writing_when_nobody_can_be_called(
    site: Site, chromium: Browser, cast: Cast
) -> None:
    with people(chromium, site.urls, (1280, 800), (1280, 800)) as made:
        worker, doctor = made
        staff_sign_in(worker, "/centre/", cast.meena)
        staff_sign_in(doctor, "/doctor/", cast.dr_alam)
        doctor.get_by_role("button", name="End duty").click()
        expect(doctor.get_by_role("button", name="Go on duty")).to_be_visible()
        register(worker, "Pinki Kumari")
        write_case(worker)
        worker.get_by_role("button", name="Go on to send").click()
        expect(worker.get_by_text("No doctor of this speciality takes patients")).to_be_visible()
        worker.get_by_role("link", name="Back to the case").click()
        send(worker, "Ask in writing")
        expect(worker.get_by_text("is answered in writing")).to_be_visible()

        doctor.get_by_role("button", name="Go on duty").click()
        doctor.get_by_role("button", name="Take it").click()
        expect(doctor.get_by_text("in writing, without a call")).to_be_visible()
        prescribe(doctor)
        doctor.get_by_role("button", name="Issue the prescription").click()
        finish(doctor)
        expect(doctor.get_by_text("Nobody waits")).to_be_visible()
        expect(worker.get_by_role("link", name="Print page")).to_be_visible()

    consultation = Consultation.objects.get()
    assert (consultation.state, consultation.is_written) == ("completed", True)
    assert consultation.token is None
    assert Token.objects.count() == 0


def leads_on(request: Request) -> bool:
    """Not the page's own looking for what is new."""
    return request.is_navigation_request() or request.method == "POST"


def is_away(consultation: Consultation) -> bool:
    """As if the lease had run out; the page that was left may have renewed it a last time."""
    gone(consultation)
    return not Token.objects.present().exists()


def test_what_is_typed_while_the_network_is_away_is_there_when_it_is_back(
    site: Site, chromium: Browser, cast: Cast
) -> None:
    with people(chromium, site.urls, (360, 640)) as (worker,):
        staff_sign_in(worker, "/centre/", cast.meena)
        register(worker, "Pinki Kumari")
        write_case(worker)
        expect(worker.get_by_text("Saved", exact=True)).to_be_visible()
        worker.get_by_label("What you see and feel").fill("Scaly edges")
        address = worker.url
        worker.goto("about:blank")  # in the pause before it saves itself
        until(lambda: Consultation.objects.get().examination == "Scaly edges")
        worker.goto(address)
        worker.context.set_offline(True)
        worker.get_by_label("What you see and feel").fill("Scaly edges, 3 cm")
        expect(worker.get_by_text("No connection. Kept on this page")).to_be_visible()
        worker.context.set_offline(False)
        expect(worker.get_by_text("Saved", exact=True)).to_be_visible()
        send(worker)
        expect(worker.locator(".token-number")).to_be_visible()

        # Gone for longer than the lease: the place is kept, and the patient is there again with the page.
        worker.goto("about:blank")
        until(lambda: is_away(Consultation.objects.get()))
        worker.goto("/centre/")
        expect(worker.get_by_text("Ahead: 0")).to_be_visible()
        until(lambda: Token.objects.present().exists())

    consultation = Consultation.objects.get()
    assert consultation.examination == "Scaly edges, 3 cm"
    assert consultation.token.state == Token.State.WAITING
