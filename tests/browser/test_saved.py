"""Pages that save themselves say "saved" of what stands on them, not of what stood there before."""

import re
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, WebSocket, WebSocketRoute, expect

from accounts.broadcast import signed_out
from accounts.models import AccountSession, User
from consult.models import Consultation, Note
from tests.browser.acting import hears, people, says, signs_in
from tests.calling import until
from tests.factories import (
    a_clinic,
    a_health_worker,
    a_hub,
    a_photo,
    at_centre,
    centre_of,
    in_the_room,
    on_duty,
)
from tests.running import Site

pytestmark = pytest.mark.chromium
# Every word that the page says of its saving, also one that stands there for a moment.
LISTEN = """
() => {
  const state = document.querySelector("[data-save-state]");
  window.heard = [];
  new MutationObserver(() => window.heard.push(state.textContent)).observe(state, { childList: true });
}
"""


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    with people(chromium, site.urls[:1], (1280, 800)) as (page,):
        yield page


def test_of_two_savings_on_their_way_the_last_one_counts(site: Site, page: Page) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    opens(page, f"/doctor/consultations/{consultation.uid}/", consultation.doctor.user)
    savings = held(page)
    page.get_by_label("Findings").fill("Throat red")
    comes(page, savings, 1)
    page.get_by_label("Dose").first.fill("1-0-1")
    comes(page, savings, 2)
    arrives(savings[0])
    savings[1].continue_()
    expect(page.get_by_text("Saved, except what is not complete yet")).to_be_visible()
    assert "Saved" not in page.evaluate("window.heard")
    assert consultation.note.findings == "Throat red"


def test_what_is_typed_while_the_case_is_being_saved_is_not_said_to_be_saved(
    site: Site, page: Page
) -> None:
    case, savings = a_case_that_is_typed_while_it_is_saved(page)
    savings[0].continue_()
    comes(page, savings, 2)  # when the first one is answered
    assert "Saved" not in page.evaluate("window.heard")
    savings[1].continue_()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    case.refresh_from_db()
    assert case.examination == "Scaly edges"


def test_what_is_typed_while_the_case_is_being_saved_is_kept_when_the_page_is_left(
    site: Site, page: Page
) -> None:
    case, savings = a_case_that_is_typed_while_it_is_saved(page)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    comes(page, savings, 2)  # the page does not wait for the first one's answer
    arrives(savings[0])
    arrives(savings[1])
    case.refresh_from_db()
    assert case.examination == "Scaly edges"


def test_what_is_not_saved_because_it_is_wrong_is_marked(site: Site, page: Page) -> None:
    meena = a_health_worker()
    a_hub(centre_of(meena))
    opens(page, f"/centre/consultations/{at_centre(meena).uid}/case/", meena)
    page.get_by_label("Temperature").fill("77")
    expect(page.get_by_text("Saved, except what is marked wrong")).to_be_visible()
    expect(page.locator(".wrong .error")).to_have_count(1)
    expect(page.locator(".wrong").get_by_label("Temperature")).to_be_visible()
    page.get_by_label("Temperature").fill("37")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.locator(".wrong, .error")).to_have_count(0)


def test_what_is_typed_after_the_session_ended_is_kept_until_one_has_signed_in_again(
    site: Site, page: Page
) -> None:
    meena = a_health_worker()
    a_hub(centre_of(meena))
    case = at_centre(meena)
    opens(page, f"/centre/consultations/{case.uid}/case/", meena)
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("What you see and feel").fill("Scaly edges")
    expect(page.get_by_text("You are signed out")).to_be_visible()
    # It is saved once more before the form would go: who signs in before the answer goes on to the next page.
    with page.expect_response("**/sign-in/**"):
        page.get_by_role("button", name="Go on to send").click()
    expect(page.get_by_label("What you see and feel")).to_have_value("Scaly edges")
    page.context.clear_cookies()  # a new session comes with a new key for forms
    signs_in(page, meena, staff=True)
    expect(page.get_by_text("You are signed out")).to_be_hidden()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    case.refresh_from_db()
    assert case.examination == "Scaly edges"


@pytest.mark.redis
def test_what_a_doctor_types_as_the_session_ends_is_kept_until_one_has_signed_in_again(
    site: Site, page: Page
) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    rao = consultation.doctor.user
    greeted = hears(page)
    opens(page, f"/doctor/consultations/{consultation.uid}/", rao)
    greeted()
    page.evaluate("window.isTheSame = true")
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    AccountSession.objects.filter(account=rao).delete()
    page.get_by_label("Findings").fill("Throat red")
    signed_out(rao)
    expect(page.get_by_text("You are signed out")).to_be_visible()
    page.get_by_role("button", name="Finish", exact=True).click()
    expect(page.get_by_label("Findings")).to_have_value("Throat red")
    page.context.clear_cookies()  # a new session comes with a new key for forms
    signs_in(page, rao, staff=True)
    expect(page.get_by_text("You are signed out")).to_be_hidden()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert consultation.note.findings == "Throat red"
    until(lambda: page.wait_for_timeout(50) or sockets)  # and the room is live again
    photo = {"name": "throat.jpg", "mimeType": "image/jpeg", "buffer": a_photo()}
    page.locator("#id_file").set_input_files(photo)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("link", name="throat.jpg")).to_be_visible()
    assert page.evaluate("window.isTheSame")


@pytest.mark.redis
def test_what_a_patient_has_not_sent_yet_is_in_the_box_again_after_signing_in(
    site: Site, page: Page
) -> None:
    clinic = a_clinic()
    asha = in_the_room(clinic, on_duty(clinic)).patient.account
    box = page.get_by_label("Your message")
    path = f"/consultations/{Consultation.objects.get().uid}/"
    greeted = hears(page)
    signs_in(page, asha)
    page.goto(path)
    greeted()
    box.fill("Since Sunday, and")
    AccountSession.objects.filter(account=asha).delete()
    signed_out(asha)
    page.wait_for_url("**/sign-in/**")
    page.context.clear_cookies()
    signs_in(page, asha)
    page.goto(path)
    expect(box).to_have_value("Since Sunday, and")
    says(page, "Since Sunday, and it itches")
    expect(page.locator("[data-messages] .text")).to_have_text(["Since Sunday, and it itches"])
    expect(page.locator("[data-messages] .unsent")).to_have_count(0)
    who = page.locator("[data-messages] .who")
    expect(who).to_have_text(re.compile(r"^You \d+:\d\d\s[ap]\.m\.$"))
    drawn = who.inner_text()
    page.reload()
    expect(box).to_have_value("")
    expect(who).to_have_text(drawn)  # the script tells a time as the page does


def test_a_medicine_that_is_half_written_stands_there_after_the_answer_to_another_form(
    site: Site, page: Page
) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    opens(page, f"/doctor/consultations/{consultation.uid}/", consultation.doctor.user)
    page.wait_for_load_state()
    medicine = page.get_by_label("Generic name").first
    medicine.fill("Zinc")
    expect(page.get_by_text("Saved, except what is not complete yet")).to_be_visible()
    page.get_by_text("link a visit in person").click()
    page.get_by_label("Condition", exact=True).fill("Diabetes")
    page.get_by_label("Seen on").fill(f"{timezone.localdate():%Y-%m-%d}")
    page.get_by_label("Where", exact=True).fill("Ward 3")
    page.get_by_label("I saw this patient in person myself").check()
    page.get_by_role("button", name="Record and link").click()
    expect(page.get_by_text("Follow-up of Diabetes")).to_be_visible()
    expect(medicine).to_have_value("Zinc")
    page.get_by_label("Findings").fill("Throat red")  # and it goes on saving itself
    until(lambda: Note.objects.filter(findings="Throat red").exists())


def test_notes_save_themselves_after_a_prescription_that_could_not_be_sent(
    site: Site, page: Page
) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    opens(page, f"/doctor/consultations/{consultation.uid}/", consultation.doctor.user)
    page.route("**/doctor/**", lambda one: one.abort())
    page.get_by_label("Findings").fill("Throat red")
    page.get_by_role("button", name="Issue the prescription").click()
    expect(page.get_by_text("This was not sent")).to_be_visible()
    page.unroute("**/doctor/**")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert consultation.note.findings == "Throat red"


def test_what_a_patient_says_as_the_session_ends_is_said_once_they_have_signed_in_again(
    site: Site, page: Page
) -> None:
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    asha = consultation.patient.account
    page.route_web_socket("**/ws/**", stays_open)
    signs_in(page, asha)
    page.goto(f"/consultations/{consultation.uid}/")
    AccountSession.objects.filter(account=asha).delete()
    says(page, "Penicillin is not good for me")
    expect(page.get_by_text("You are signed out")).to_be_visible()
    expect(page.locator("[data-chat-error]")).to_be_hidden()
    page.context.clear_cookies()  # a new session comes with a new key for forms
    signs_in(page, asha)
    expect(page.get_by_text("You are signed out")).to_be_hidden()
    expect(page.locator("[data-messages] .unsent")).to_have_count(0)
    assert [message.text for message in consultation.messages.all()] == [
        "Penicillin is not good for me"
    ]


def stays_open(socket: WebSocketRoute) -> None:
    """The page is not told that the server has closed it, as it does once it finds the session ended."""
    socket.connect_to_server().on_close(lambda _code, _reason: None)


def a_case_that_is_typed_while_it_is_saved(page: Page) -> tuple[Consultation, list[Route]]:
    """First "Scaly", which is on its way, then "Scaly edges"."""
    meena = a_health_worker()
    a_hub(centre_of(meena))
    case = at_centre(meena)
    opens(page, f"/centre/consultations/{case.uid}/case/", meena)
    savings = held(page)
    page.get_by_label("What you see and feel").fill("Scaly")
    comes(page, savings, 1)
    page.get_by_label("What you see and feel").fill("Scaly edges")
    return case, savings


def opens(page: Page, path: str, user: User) -> None:
    """With its scripts, and with ears for what it says."""
    signs_in(page, user, staff=True)
    page.goto(path)
    page.evaluate(LISTEN)


def held(page: Page) -> list[Route]:
    """What the page sends from now on, kept back."""
    sent: list[Route] = []
    page.route(
        lambda _: True,
        lambda one: sent.append(one) if one.request.method == "POST" else one.continue_(),
    )
    return sent


def comes(page: Page, sent: list[Route], number: int) -> None:
    until(lambda: page.wait_for_timeout(50) or len(sent) == number)


def arrives(route: Route) -> None:
    """At the server; and its answer at the page."""
    route.continue_()
    answer = route.request.response()
    assert answer is not None
    assert answer.finished() is None
