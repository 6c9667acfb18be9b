"""The talk in real browsers, in two processes where there are two: in order, once, and nothing lost."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, WebSocketRoute, expect

from accounts.models import User
from consult.models import ChatMessage, Consultation
from tests.calling import comes_in, context_of, until
from tests.factories import a_clinic, in_the_room, on_duty
from tests.running import Site

pytestmark = pytest.mark.chromium


@dataclass
class Talker:
    """Somebody in the room, with a socket that the test can hold up, and what the page fetched."""

    page: Page = field(init=False)
    sockets: list[WebSocketRoute] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    is_unheard = False  # what the page says does not get through
    written = 0
    greeted = 0
    lost: list[str] = field(default_factory=list)  # the kinds of those that did not get through
    # Kinds of messages that do not get through. The look of every few seconds may be faster than a message:
    # then the page fetches what would have come by itself.
    loses: tuple[str, ...] = ("now",)
    is_away = False

    def open_socket(self, socket: WebSocketRoute) -> None:
        if self.is_away:
            socket.close()
            return
        server = socket.connect_to_server()
        self.sockets.append(socket)

        def pass_on(text: str | bytes) -> None:
            message = json.loads(text)
            if message["type"] in self.loses:
                self.lost.append(message["type"])
            else:
                socket.send(text)
                self.greeted += message["type"] == "hello"

        server.on_message(pass_on)

        def say(text: str | bytes) -> None:
            self.written += json.loads(text)["say"] == "write"
            if not self.is_unheard:
                server.send(text)

        socket.on_message(say)

    def note(self, request: Request) -> None:
        if request.method == "GET" and "/messages/?after=" in request.url:
            self.fetched.append(request.url)
        if request.method == "POST" and request.url.endswith("/messages/"):
            self.posted.append(request.url)

    def is_patient(self) -> None:
        """Its page's timers stand still: what takes long is not tried another way."""
        self.page.clock.install()
        self.page.clock.pause_at(time.time() + 3600)

    def writes(self, text: str) -> None:
        self.page.get_by_label("Your message").fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()

    def waits_until(self, is_so: Callable[[], Any]) -> None:
        """The browser's own events are let in meanwhile."""
        until(lambda: self.page.wait_for_timeout(50) or is_so())

    def sees(self, texts: list[str]) -> None:
        expect(self.page.locator("[data-messages] .text")).to_have_text(texts)
        expect(self.page.locator("[data-messages] .unsent")).to_have_count(0)


@contextlib.contextmanager
def a_talker(
    browser: Browser, url: str, consultation: Consultation, user: User, staff: bool = False
) -> Iterator[Talker]:
    context = context_of(browser, url, user, staff=staff)
    context.add_init_script("delete window.RTCPeerConnection")  # they only write
    talker = Talker()
    try:
        context.on("request", talker.note)
        context.route_web_socket("**/ws/consultations/**", talker.open_socket)
        talker.page = comes_in(context, consultation, user).page
        talker.waits_until(lambda: talker.greeted)
        yield talker
    finally:
        context.close()


@pytest.fixture
def consultation(site: Site) -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


@pytest.fixture
def both(site: Site, chromium: Browser, consultation) -> Iterator[tuple[Talker, Talker]]:
    patient, doctor = consultation.patient.account, consultation.doctor.user
    with (
        a_talker(chromium, site.urls[0], consultation, patient) as asha,
        a_talker(chromium, site.urls[-1], consultation, doctor, staff=True) as rao,
    ):
        yield asha, rao


def stored(consultation: Consultation) -> list[str]:
    """The talk as it is kept."""
    rows = ChatMessage.objects.filter(consultation=consultation).order_by("pk")
    return list(rows.values_list("text", flat=True))


def test_what_both_write_at_once_goes_by_the_socket_and_stands_on_both_pages_in_one_order(
    consultation, both
):
    for talker in both:
        talker.is_patient()
    for number in range(5):
        for talker, name in zip(both, ("asha", "rao"), strict=True):
            talker.writes(f"{name} {number}")
    both[0].waits_until(lambda: len(stored(consultation)) == 10)
    for talker in both:
        talker.sees(stored(consultation))
        assert (talker.written, talker.posted) == (5, [])


def test_what_the_socket_swallowed_is_posted_and_stands_there_once(consultation, both):
    asha, rao = both
    asha.is_unheard = True
    asha.writes("one")
    asha.waits_until(lambda: asha.posted)
    for talker in both:
        talker.sees(["one"])
    asha.is_unheard = False
    asha.loses = ("now", "message")
    asha.writes("two")  # taken, but its page does not hear so and posts it too
    rao.sees(["one", "two"])
    asha.sees(["one", "two"])
    assert (len(asha.posted), stored(consultation)) == (2, ["one", "two"])


def test_a_message_that_got_lost_comes_with_the_next_one(consultation, both):
    asha, rao = both
    asha.is_patient()
    asha.writes("one")
    rao.sees(["one"])
    rao.loses = ("now", "message")
    asha.writes("two")
    rao.waits_until(lambda: "message" in rao.lost)
    rao.sees(["one"])
    rao.loses = ("now",)
    asha.writes("three")
    for talker in both:
        talker.sees(["one", "two", "three"])
    assert (len(asha.fetched), len(rao.fetched)) == (0, 1)


def test_what_was_said_while_the_socket_was_away_is_caught_up(consultation, both):
    asha, rao = both
    asha.is_patient()
    asha.writes("one")
    rao.sees(["one"])
    rao.is_away = True
    rao.sockets[-1].close()
    expect(rao.page.locator("[data-connection]")).to_be_visible()
    asha.writes("two")
    asha.sees(["one", "two"])
    rao.writes("three")
    for talker in both:
        talker.sees(["one", "two", "three"])
    asha.writes("four")
    asha.sees(["one", "two", "three", "four"])
    rao.sees(["one", "two", "three"])
    rao.is_away = False
    rao.sees(["one", "two", "three", "four"])
    assert (len(asha.fetched), len(rao.fetched)) == (0, 2)


def test_after_a_gap_that_nobody_counted_the_page_looks_again(consultation, both):
    asha, rao = both
    rao.loses = ("now", "message")
    asha.writes("one")
    rao.waits_until(lambda: "message" in rao.lost)
    rao.sees([])
    rao.sockets[-1].send(json.dumps({"type": "resync"}))
    rao.sees(["one"])
    assert len(rao.fetched) == 1
