"""People at their browsers: each in a context of its own, complaints of the browser collected."""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocketRoute, expect

from accounts.models import User
from tests.calling import until
from tests.factories import PASSWORD, totp_code
from tests.running import SOON, session_of


@contextmanager
def people(browser: Browser, urls: list[str], *sizes: tuple[int, int]) -> Iterator[list[Page]]:
    """One page per size, spread over the site's processes. Script errors fail the test."""
    contexts = [
        browser.new_context(
            base_url=urls[number % len(urls)], viewport={"width": width, "height": height}
        )
        for number, (width, height) in enumerate(sizes)
    ]
    pages = [context.new_page() for context in contexts]
    complaints: list[str] = []
    for page in pages:
        page.set_default_timeout(SOON * 1000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_bad(said) else None)
    try:
        yield pages
    finally:
        for context in contexts:
            context.close()
    assert complaints == []


def is_bad(said: ConsoleMessage) -> bool:
    """Violations of the security policy, script errors; a refused form is part of the play, and so
    is a network that was taken away, and a socket that a busy server was late to open: it is tried again.
    Behind hears() a page learns a moment late that its socket was closed, and may speak until then."""
    of_the_play = (
        "Failed to load resource",
        "ERR_INTERNET_DISCONNECTED",
        "WebSocket connection to",
        "WebSocket is already in CLOSING or CLOSED state",
    )
    return said.type == "error" and not any(words in said.text for words in of_the_play)


def hears(page: Page, unheard: Collection[str] = ("now",)) -> Callable[[], None]:
    """Asked before the page is opened; what it gives waits until the page's socket was greeted.

    Messages of the kinds in `unheard` are kept from the page, as long as they stand in it. The look of
    every few seconds may be faster than an answer under way, and then the page asks for what that brings.
    """
    heard: list[str] = []

    def open_socket(socket: WebSocketRoute) -> None:
        def pass_on(text: str | bytes) -> None:
            kind = json.loads(text)["type"]
            if kind not in unheard:
                socket.send(text)
                heard.append(kind)

        socket.connect_to_server().on_message(pass_on)

    page.route_web_socket("**/ws/**", open_socket)
    return lambda: until(lambda: page.wait_for_timeout(50) or heard)


def says(page: Page, words: str) -> None:
    """In the talk, by the key that the page's script hears."""
    page.wait_for_load_state()
    page.get_by_label("Your message").fill(words)
    page.keyboard.press("Enter")


def signs_in(page: Page, user: User, *, staff: bool = False) -> None:
    """By a session that is there already."""
    key = session_of(user, staff)
    page.context.add_cookies(
        [{"name": "sessionid", "value": key, "domain": "127.0.0.1", "path": "/"}]
    )


def register(page: Page, name: str = "Asha Menon") -> None:
    """A patient, on the page that asks who it is."""
    page.get_by_label("Full name").fill(name)
    page.get_by_label("or age in years").fill("34")
    page.get_by_label("Female").check()
    page.get_by_label("Address").fill("12 Canal Road, 682001")
    page.get_by_label("State").select_option("32")
    page.get_by_label("District").select_option("555")
    page.get_by_role("button", name="Save").click()


def staff_sign_in(page: Page, path: str, user: User) -> None:
    """By password and authenticator app, to the page asked for, which is there with its scripts."""
    page.goto(path)
    page.get_by_label("Your mobile number").fill(user.phone)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    digits = page.get_by_label("The 6 digits")
    expect(digits).to_be_visible()  # the code counts for half a minute or so
    digits.fill(totp_code(user))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(f"**{path}")
