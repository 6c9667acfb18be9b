"""People in a call: real browsers with a fake camera and microphone, and a TURN server of our own."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from consult.models import Consultation
from consult.people import role_of
from consult.views.rooms import ROOMS
from deploy.trial import make_certificate
from tests.factories import as_patient, as_staff
from tests.faults.parts import listens, servers
from tests.running import SOON, free_port

FAKE_MEDIA = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
]
SECRET = "a-secret-of-the-tests"
# Seconds: a machine that is slow gives a picture up, and tries again after half a minute, or twice that.
PICTURES_WITHIN = 240
# Keeps the connections of a page where a test can look at them, and when the first frame came.
WATCH = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.connections.push(this); }
};
window.connections.live = () => window.connections.filter((one) => one.connectionState !== "closed");
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const video = document.querySelector(".tile video:not([data-seen])");
    if (!video) return;
    video.dataset.seen = "";
    video.requestVideoFrameCallback(() => { window.firstFrameAt ??= Date.now(); });
  }).observe(document.body, { childList: true, subtree: true });
});
"""
LOOK = """
async () => {
  const said = { frames: 0, packets: 0, lost: 0, energy: 0, videoOut: 0, kinds: [] };
  for (const one of window.connections.live()) {
    const report = await one.getStats();
    for (const entry of report.values()) {
      if (entry.type === "inbound-rtp" && entry.kind === "video") said.frames += entry.framesDecoded ?? 0;
      if (entry.type === "inbound-rtp" && entry.kind === "audio") {
        said.packets += entry.packetsReceived;
        said.lost += entry.packetsLost;
        said.energy += entry.totalAudioEnergy;
      }
      if (entry.type === "outbound-rtp" && entry.kind === "video") said.videoOut += entry.framesSent ?? 0;
      if (entry.type === "transport" && entry.selectedCandidatePairId) {
        const mine = report.get(report.get(entry.selectedCandidatePairId).localCandidateId);
        said.kinds.push([mine.candidateType, mine.relayProtocol ?? mine.protocol]);
      }
    }
  }
  return said;
}
"""
# Every word of news that the call's page says, also one that stands there for a moment.
NOTE_NEWS = """
() => {
  const place = document.querySelector("[data-call] [data-news]");
  window.news = [];
  new MutationObserver(() => window.news.push(place.textContent)).observe(place, { childList: true });
}
"""


class Turn:
    """A coturn of the test's own, on ports that it keeps when it is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        folder.mkdir(exist_ok=True)
        make_certificate(folder / "tls")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def urls(self, *transports: str) -> str:
        """Over UDP and TCP, or those named; "tls" is for networks that let only HTTPS out."""
        known = {one: f"turn:127.0.0.1:{self.port}?transport={one}" for one in ("udp", "tcp")}
        known["tls"] = f"turns:127.0.0.1:{self.tls_port}?transport=tcp"
        return ",".join(known[one] for one in transports or ("udp", "tcp"))

    def environment(self, *transports: str, **more: str) -> dict[str, str]:
        return {"TURN_URLS": self.urls(*transports), "TURN_SECRET": SECRET, **more}

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(shutil.which("turnserver")), "-n", "--use-auth-secret",
                    "--static-auth-secret", SECRET, "--realm", "localhost",
                    "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1",
                    "--listening-port", str(self.port), "--allow-loopback-peers",
                    "--tls-listening-port", str(self.tls_port), "--no-dtls",
                    "--cert", str(self.folder / "tls" / "fullchain.pem"),
                    "--pkey", str(self.folder / "tls" / "privkey.pem"),
                    "--no-cli", "--fingerprint", "--log-file", "stdout",
                    "--pidfile", str(self.folder / "pid"), "--userdb", str(self.folder / "db"),
                ],
                stdout=log,
                stderr=log,
            )  # fmt: skip
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            if servers.relays(self.port) and listens(self.tls_port):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


@dataclass
class Person:
    """Somebody in a room, and what their browser says of the call."""

    page: Page

    def look(self) -> dict[str, Any]:
        return self.page.evaluate(LOOK)

    @property
    def state(self) -> str:
        return str(self.page.locator("[data-call]").get_attribute("data-state"))

    def sees_state(self, *states: str, seconds: float = SOON) -> None:
        wanted = ",".join(f'[data-call][data-state="{state}"]' for state in states)
        expect(self.page.locator(wanted)).to_be_attached(timeout=seconds * 1000)

    def is_connected(self) -> None:
        """To everybody who is there; on a slow machine the picture may be small or late."""
        self.sees_state("connected", "weak")

    def receives(
        self, what: str = "frames", more: float = 5, seconds: float = PICTURES_WITHIN
    ) -> float:
        """Waits until `more` of it came from now on; how many seconds that took."""
        start = time.monotonic()
        before = self.look()[what]
        while time.monotonic() - start < seconds:
            if self.look()[what] >= before + more:
                return time.monotonic() - start
            time.sleep(0.1)
        raise AssertionError(f"No {more} {what} in {seconds} s ({self.state}): {self.look()}")

    def has_picture(self) -> None:
        """One came, and goes on; or, as on a slow machine, the page says that it is given up for a while."""
        before = self.look()["frames"]

        def comes() -> bool:
            frames = self.look()["frames"]
            return bool(frames >= before + 5 or (frames and self.state == "weak"))

        until(comes, PICTURES_WITHIN)

    def listens(self) -> None:
        """For what hears() asks."""
        self.page.evaluate(NOTE_NEWS)

    def hears(self, words: str) -> None:
        until(lambda: words in " ".join(self.page.evaluate("window.news")))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()


def context_of(
    browser: Browser, url: str, user: User, *, staff: bool = False, **more: Any
) -> BrowserContext:
    """A browser in which `user` is signed in, with camera and microphone granted."""
    signed_in = as_staff(user) if staff else as_patient(user)
    more = {
        "viewport": {"width": 1280, "height": 800} if staff else {"width": 360, "height": 640}
    } | more
    context = browser.new_context(base_url=url, permissions=["camera", "microphone"], **more)
    context.set_default_timeout(SOON * 1000)
    session = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
    context.add_init_script(WATCH)
    return context


def room_of(consultation: Consultation, user: User) -> str:
    role = role_of(consultation, user)
    assert role
    return reverse(ROOMS[role], kwargs={"consultation": consultation.uid})


def comes_in(context: BrowserContext, consultation: Consultation, user: User) -> Person:
    person = Person(context.new_page())
    person.page.goto(room_of(consultation, user))
    return person


@contextmanager
def both_in(
    browser: Browser,
    consultation: Consultation,
    doctors_url: str,
    patients_url: str = "",
    **more: Any,
) -> Iterator[tuple[Person, Person]]:
    """The doctor, and then the patient, in their rooms. Complaints of the browser fail the test."""
    assert consultation.doctor
    people = [(consultation.doctor.user, True, doctors_url)]
    people.append((consultation.patient.account, False, patients_url or doctors_url))
    contexts = [context_of(browser, url, user, staff=staff, **more) for user, staff, url in people]
    complaints: list[str] = []
    try:
        made = []
        for context, (user, *_rest) in zip(contexts, people, strict=True):
            context.on("weberror", lambda error: complaints.append(str(error.error)))
            made.append(comes_in(context, consultation, user))
        yield made[0], made[1]
    finally:
        for context in contexts:
            context.close()
    assert complaints == []


def until(
    is_so: Callable[[], Any], seconds: float = SOON, as_it_is: Callable[[], Any] = str
) -> Any:
    """Waits for it; what it gave. When it does not come, `as_it_is` says what was there instead."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, f"Not within {seconds} s {as_it_is()}"
        time.sleep(0.1)
    return found
