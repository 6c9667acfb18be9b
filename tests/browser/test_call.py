"""The call between real browsers with fake cameras: direct, through TURN, and after trouble."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from accounts.phone import spaced
from consult import actions
from consult.models import CallEvent, CallLeg, Consultation
from queues.models import Clinic
from tests.calling import PICTURES_WITHIN, Person, Turn, both_in, comes_in, context_of, until
from tests.factories import (
    a_clinic,
    a_health_worker,
    a_hub,
    a_specialist,
    an_opinion,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
)
from tests.running import Site

pytestmark = pytest.mark.chromium
# A window behind another one, as browsers tell it; a browser without a screen shows all its windows.
UNSEEN = 'Object.defineProperty(document, "hidden", { get: () => !window.isLookedAt })'
LOOKED_AT = 'isLookedAt = true; document.dispatchEvent(new Event("visibilitychange"))'


@pytest.fixture(scope="module")
def turn() -> Iterator[Turn]:
    started = Turn(Path(os.environ["VAR_DIR"]) / "turn")
    yield started
    started.kill()


@pytest.fixture
def clinic(site: Site) -> Clinic:
    return a_clinic()


@pytest.fixture
def consultation(clinic: Clinic):
    return in_the_room(clinic, on_duty(clinic))


def test_two_people_see_and_hear_each_other_directly(site: Site, browser: Browser, consultation):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as people:
        for person in people:
            person.is_connected()
            person.has_picture()
            person.receives("energy", 0.001)
            until(lambda person=person: goes_directly(person))


def goes_directly(person: Person) -> bool:
    """In the end: the way that was found first may be another."""
    kinds = {kind for kind, _protocol in person.look()["kinds"]}
    return bool(kinds) and kinds <= {"host", "prflx"}


def test_what_flowed_is_kept_from_both_sides_and_makes_the_mode(
    site: Site, browser: Browser, consultation
):
    assert consultation.mode == "text"
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as people:
        for person in people:
            person.is_connected()
        until(lambda: again(consultation).sound_seconds >= 5)
        until(lambda: again(consultation).video_seconds >= 5, PICTURES_WITHIN)
        legs = CallLeg.objects.filter(consultation=consultation).values_list("role", "other")
        until(lambda: set(legs.all()) == {("doctor", "patient"), ("patient", "doctor")})
        happened = consultation.call_events.values_list("role", "what")
        assert sorted(happened) == [("doctor", "joined"), ("patient", "joined")]
    until(lambda: consultation.call_events.filter(what="left").count() == 2)


@pytest.mark.coturn
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_where_nothing_else_gets_through_turn_does(
    site: Site, browser: Browser, turn: Turn, consultation, transport: str
):
    environment = turn.environment(transport, TURN_ONLY="1")
    with (
        a_server(site, **environment) as url,
        both_in(browser, consultation, url) as people,
    ):
        for person in people:
            person.is_connected()
            person.has_picture()
            person.receives("energy", 0.001)
            assert person.look()["kinds"] == [["relay", transport]]


@pytest.mark.coturn
def test_expired_credentials_hold_nobody_for_ever(
    site: Site, browser: Browser, turn: Turn, consultation
):
    environment = turn.environment("udp", TURN_ONLY="1")
    with a_server(site, **environment, TURN_SECONDS="-60") as url:
        port = urlsplit(url).port
        with both_in(browser, consultation, url) as (doctor, patient):
            patient.sees_state("blocked")
            write_and_read(patient, doctor, "I cannot see you")
            site.stop(site.processes[-1])
            site.start_server(port=port or 0, **environment)
            for person in (doctor, patient):
                person.is_connected()
                person.has_picture()


@pytest.mark.coturn
def test_a_turn_server_that_dies_and_comes_back_costs_a_pause(
    site: Site, browser: Browser, turn: Turn, consultation
):
    environment = turn.environment("udp", TURN_ONLY="1")
    with (
        a_server(site, **environment) as url,
        both_in(browser, consultation, url) as people,
    ):
        for person in people:
            person.is_connected()
        turn.kill()
        for person in people:
            person.sees_state("reconnecting")
        assert again(consultation).state == Consultation.State.IN_PROGRESS
        turn.start()
        for person in people:
            person.is_connected()
            person.has_picture()
            person.receives("energy", 0.001)


def test_sound_and_picture_outlive_the_server_that_put_them_together(
    site: Site, browser: Browser, consultation
):
    with a_server(site) as url, both_in(browser, consultation, url) as (doctor, patient):
        for person in (doctor, patient):
            person.is_connected()
        before = doctor.page.evaluate("connections.length")
        server = site.processes[-1]
        site.stop(server, signal.SIGKILL)
        expect(patient.page.locator("[data-connection]")).to_be_visible()
        for person in (doctor, patient):
            person.has_picture()
            person.receives("energy", 0.001)
        site.start_server(port=urlsplit(url).port or 0)
        for person in (doctor, patient):
            expect(person.page.locator("[data-connection]")).to_be_hidden()
            person.is_connected()
        write_and_read(patient, doctor, "Are you still there?")
        back = consultation.call_events.filter(what="back").values_list("role", flat=True)
        until(lambda: set(back.all()) == {"doctor", "patient"})
        assert doctor.page.evaluate("connections.length") == before  # the same connection
        assert again(consultation).state == Consultation.State.IN_PROGRESS


def test_who_wants_sound_only_sends_and_gets_no_picture_and_is_remembered(
    site: Site, browser: Browser, consultation
):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        patient.is_connected()
        patient.press("Sound only")
        for person in (doctor, patient):
            until(lambda person=person: person.page.locator(".tile.no-picture").count() == 1)
            person.receives("energy", 0.001)
        until(lambda: only_sound_comes(doctor, patient))
        patient.page.reload()
        for person in (doctor, patient):
            person.is_connected()
        doctor.receives("energy", 0.001)
        expect(patient.page.locator("[data-sound-only]")).to_have_attribute("aria-pressed", "true")
        assert doctor.look()["frames"] == 0
        patient.press("Sound only")
        doctor.has_picture()


def only_sound_comes(*people: Person) -> bool:
    """What was under way when the picture was given up has gone through."""
    before = [person.look()["frames"] for person in people]
    for person in people:
        person.receives("energy", 0.01)
    return [person.look()["frames"] for person in people] == before


def test_the_newer_window_of_one_person_takes_over(site: Site, browser: Browser, consultation):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        doctor.is_connected()
        newer = comes_in(patient.page.context, consultation, consultation.patient.account)
        newer.is_connected()
        patient.sees_state("elsewhere")
        assert patient.look()["kinds"] == []
        newer.has_picture()
        doctor.has_picture()
        patient.press("Go on with the call here")
        patient.is_connected()
        newer.sees_state("elsewhere")


def test_a_window_that_nobody_sees_takes_over_once_it_is_looked_at(
    site: Site, browser: Browser, consultation
):
    asha = consultation.patient.account
    events = CallEvent.objects.filter(consultation=consultation, role="patient")
    windows = events.values("page").distinct()
    context = context_of(browser, site.urls[0], asha)
    with contextlib.closing(context):
        seen = comes_in(context, consultation, asha)
        until(lambda: seen.page.wait_for_timeout(50) or windows.count() == 1)
        context.add_init_script(UNSEEN)
        unseen = comes_in(context, consultation, asha)
        write_and_read(seen, unseen, "Is the call here?")
        assert windows.count() == 1
        unseen.page.evaluate(LOOKED_AT)
        seen.sees_state("elsewhere")


def again(consultation: Consultation) -> Consultation:
    return Consultation.objects.get(pk=consultation.pk)


@contextlib.contextmanager
def a_server(site: Site, **environment: str) -> Iterator[str]:
    """One more server for this test, with its own environment; its address."""
    urls, processes = list(site.urls), list(site.processes)
    site.start_server(**environment)
    try:
        yield site.urls[-1]
    finally:
        for process in [one for one in site.processes if one not in processes]:
            site.stop(process)
        site.urls[:] = urls


def write_and_read(sender: Person, reader: Person, words: str) -> None:
    sender.page.get_by_label("Your message").fill(words)
    sender.page.keyboard.press("Enter")
    expect(reader.page.get_by_text(words)).to_be_visible()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("NotAllowedError", "is not allowed"),
        ("NotFoundError", "was found"),
        ("NotReadableError", "Another program"),
    ],
)
def test_a_camera_that_is_refused_missing_or_taken_stops_nobody(
    site: Site, browser: Browser, consultation, error: str, says: str
):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        patient.page.add_init_script(
            "if (!sessionStorage.allowed) navigator.mediaDevices.getUserMedia = "
            f"() => Promise.reject(new DOMException('', '{error}'));"
        )
        patient.page.reload()
        expect(patient.page.locator("[data-trouble-words]")).to_contain_text(says)
        for person in (doctor, patient):
            person.is_connected()
        patient.has_picture()
        assert doctor.look()["frames"] == 0
        write_and_read(patient, doctor, "I see you, you do not see me")
        patient.page.evaluate(
            "sessionStorage.allowed = 1; delete navigator.mediaDevices.getUserMedia"
        )
        patient.press("Try again")
        doctor.has_picture()
        expect(patient.page.locator("[data-trouble]")).to_be_hidden()


def test_servers_that_are_never_named_hold_nobody_for_ever(
    site: Site, browser: Browser, consultation
):
    def without_servers(socket: WebSocketRoute) -> None:
        site = socket.connect_to_server()

        def say(text: str | bytes) -> None:
            message = json.loads(text)
            if message.pop("servers", None) is None or message["event"] == "in":
                socket.send(json.dumps(message))

        site.on_message(say)

    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        doctor.is_connected()
        doctor.page.route_web_socket("**/ws/**", without_servers)
        doctor.page.reload()
        for person in (doctor, patient):
            person.is_connected()
            person.has_picture()


# How often servers were named to a connection that was there.
COUNT_RESTARTS = """
RTCPeerConnection.prototype.setConfiguration = ((set) => function (...given) {
  window.restarts += 1;
  return set.apply(this, given);
})(RTCPeerConnection.prototype.setConfiguration);
window.restarts = 0;
"""
# The camera opens only when the test lets it.
SLOW_TO_OPEN = """
navigator.mediaDevices.getUserMedia = ((open, may) => {
  window.openIt = () => may.resolve();
  return async function (...given) { await may.promise; return open.apply(this, given); };
})(navigator.mediaDevices.getUserMedia, Promise.withResolvers());
"""


def test_a_camera_that_opens_before_the_server_has_answered_is_seen(
    site: Site, browser: Browser, consultation
):
    held: list[tuple[WebSocketRoute, str | bytes]] = []

    def hold(page: WebSocketRoute) -> None:
        def pass_on(said: str | bytes) -> None:
            if '"event": "in"' in str(said):
                held.append((page, said))
            else:
                page.send(said)

        page.connect_to_server().on_message(pass_on)

    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        doctor.is_connected()
        patient.page.route_web_socket("**/ws/**", hold)
        patient.page.add_init_script(SLOW_TO_OPEN)
        patient.page.reload()
        until(lambda: patient.page.title() and held)
        patient.page.evaluate("window.openIt()")
        expect(patient.page.locator("[data-own]")).to_be_visible()
        for page, said in held:
            page.send(said)
        expect(doctor.page.locator(".tile:not(.no-picture)")).to_have_count(1)


# The first description from the other side is taken only when the test lets it.
SLOW_TO_TAKE = """
RTCPeerConnection.prototype.setRemoteDescription = ((take, may) => {
  window.takeIt = () => may.resolve();
  return async function (...given) {
    window.isAsked = true;
    await may.promise;
    return take.apply(this, given);
  };
})(RTCPeerConnection.prototype.setRemoteDescription, Promise.withResolvers());
"""


def test_an_answer_that_comes_late_still_fits_the_offer(site: Site, browser: Browser, consultation):
    """The doctor tries anew while a slow phone has not answered yet. Timers, which would try once
    more and hide a pair that does not fit, stand still on both sides."""
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        patient.page.add_init_script(SLOW_TO_TAKE)
        for person in (doctor, patient):
            person.is_connected()
            person.page.clock.install()
            person.page.clock.pause_at(time.time() + 3600)
        patient.page.reload()
        doctor.sees_state("connecting")
        until(lambda: patient.page.evaluate("window.isAsked"))
        doctor.page.evaluate(COUNT_RESTARTS)
        for times in (1, 2):
            doctor.page.evaluate("dispatchEvent(new Event('online'))")
            until(lambda times=times: doctor.page.evaluate("window.restarts") == times)
        patient.page.evaluate("window.takeIt()")
        for person in (doctor, patient):
            person.is_connected()
            person.has_picture()


def test_a_browser_without_video_writes_and_both_sides_know(
    site: Site, browser: Browser, consultation
):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        patient.page.add_init_script("delete window.RTCPeerConnection")
        patient.page.reload()
        patient.sees_state("off")
        doctor.sees_state("writes")
        write_and_read(patient, doctor, "My browser is old")
        expect(doctor.page.locator("[data-choices]")).to_be_hidden()


NOTICE_HIDDEN = """(one) => {
  new MutationObserver(() => { window.wasHidden ||= one.hidden; }).observe(one, { attributes: true });
}"""


def test_after_a_minute_without_the_patient_the_doctor_chooses(
    site: Site, browser: Browser, consultation
):
    Consultation.objects.update(may_phone=True)
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        doctor.is_connected()
        choices = doctor.page.locator("[data-choices]")
        # A minute, as soon as the test wants it.
        assert choices.get_attribute("data-after") == "60"
        choices.evaluate("one => { one.dataset.after = '1'; }")
        doctor.listens()
        patient.page.goto("/")
        doctor.hears("has left")
        expect(choices).to_be_visible()
        choices.evaluate(NOTICE_HIDDEN)  # for a second: too short to look
        doctor.press("Wait")
        until(lambda: doctor.page.evaluate("window.wasHidden"))
        expect(choices).to_be_visible()
        patient.page.goto(f"/consultations/{consultation.uid}/")
        for person in (doctor, patient):
            person.is_connected()
        expect(choices).to_be_hidden()
        patient.page.goto("/")
        expect(choices).to_be_visible()
        doctor.press("Phone the patient")
        phone = spaced(consultation.patient.account.phone)
        expect(doctor.page.get_by_text(phone)).to_be_visible()
        doctor.page.locator("[data-choices]").evaluate("one => { one.dataset.after = '1'; }")
        patient.page.goto(f"/consultations/{consultation.uid}/")
        patient.is_connected()
        patient.page.goto("/")
        expect(choices).to_be_visible()
        doctor.press("Back to the line, first")
        expect(doctor.page.get_by_text("talk broke off, goes first")).to_be_visible()
    assert again(consultation).token.comes_first


def test_the_doctor_may_go_on_in_writing_and_both_pages_let_go_of_the_camera(
    site: Site, browser: Browser, consultation
):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        doctor.is_connected()
        # Hidden while the patient is here, and hidden anew whenever the call says so.
        choices = doctor.page.locator("[data-choices]")
        choices.get_by_text("Go on in writing").dispatch_event("click")
        for person in (doctor, patient):
            person.sees_state("text")
            expect(person.page.locator(".tile, [data-own]:not([hidden])")).to_have_count(0)
        write_and_read(doctor, patient, "Then we write")


def test_a_report_ends_the_talk_for_both(site: Site, browser: Browser, consultation):
    with both_in(browser, consultation, site.urls[0], site.urls[-1]) as (doctor, patient):
        doctor.is_connected()
        doctor.page.get_by_text("Report and end", exact=True).click()
        doctor.page.get_by_label("What happened?").fill("Indecent")
        doctor.press("Report and end the talk")
        expect(doctor.page.get_by_text("You will not meet again")).to_be_visible()
        expect(patient.page.get_by_text("The talk was ended and reported")).to_be_visible()
    assert again(consultation).end_reason == "reported"


def test_three_people_see_each_other_and_two_go_on_when_one_leaves(
    site: Site, browser: Browser, clinic: Clinic
):
    meena = a_health_worker()
    hub = a_hub(centre_of(meena))
    skin = a_hub(centre_of(meena), "dermatology")
    rao, das = on_duty(hub), a_specialist(skin)
    consultation = before_the_screen(meena, hub, rao)
    opinion = an_opinion(consultation, skin)
    actions.join(opinion=opinion, specialist=das)
    people = [rao.user, meena, das.user]
    contexts = [context_of(browser, site.urls[0], user, staff=True) for user in people]
    try:
        doctor, worker, specialist = everybody = [
            comes_in(context, consultation, user)
            for context, user in zip(contexts, people, strict=True)
        ]
        for person in everybody:
            person.is_connected()
            expect(person.page.locator(".tile")).to_have_count(2)
            until(lambda person=person: len(person.look()["kinds"]) == 2)
            person.has_picture()
            person.receives("energy", 0.001)
        for person in (doctor, worker):
            person.listens()
        actions.give_opinion(opinion=opinion, specialist=das, answer="Eczema")
        specialist.page.reload()
        for person in (doctor, worker):
            person.hears("Specialist")
            expect(person.page.locator(".tile")).to_have_count(1)
            person.is_connected()
            person.has_picture()
        until(lambda: again(consultation).video_seconds >= 5, PICTURES_WITHIN)
        legs = CallLeg.objects.filter(consultation=consultation, video_seconds__gt=0)
        received = legs.values_list("role", "other")
        both = {("doctor", "health_worker"), ("health_worker", "doctor")}
        until(lambda: both <= set(received.all()), PICTURES_WITHIN)
    finally:
        for context in contexts:
            context.close()
