"""The call on a bad network: the doctor's browser in a namespace of its own, really cut and squeezed."""

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect

from consult.models import Consultation
from tests.calling import FAKE_MEDIA, Person, comes_in, context_of, until
from tests.factories import a_clinic, in_the_room, on_duty
from tests.running import Site, free_port, launch

NAME = f"call-{os.getpid()}"
# A network of this run's own: two runs on one machine do not meet.
NET = f"10.213.{os.getpid() % 250}"
HERE, THERE = f"{NET}.1", f"{NET}.2"
OURS, THEIRS = f"vc{os.getpid() % 100000}a", f"vc{os.getpid() % 100000}b"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def may_make_networks() -> bool:
    """Only root may, and not in every container."""
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("tc")):
        return False
    made = run("ip", "netns", "add", f"{NAME}-try").returncode == 0
    run("ip", "netns", "del", f"{NAME}-try")
    return made


pytestmark = [
    pytest.mark.chromium,
    pytest.mark.redis,  # two processes: one at each end of the line
    pytest.mark.program("ip", "tc"),
    pytest.mark.skipif(not may_make_networks(), reason="left out: no network namespaces here"),
]


class Line:
    """The wire between this machine and the namespace: it can be cut, and made narrow."""

    def __init__(self) -> None:
        for command in [
            f"ip netns add {NAME}",
            f"ip link add {OURS} type veth peer name {THEIRS}",
            f"ip link set {THEIRS} netns {NAME}",
            f"ip addr add {HERE}/24 dev {OURS}",
            f"ip link set {OURS} up",
            f"ip netns exec {NAME} ip addr add {THERE}/24 dev {THEIRS}",
            f"ip netns exec {NAME} ip link set lo up",
            f"ip netns exec {NAME} ip link set {THEIRS} up",
            f"ip netns exec {NAME} ip route add default via {HERE}",
        ]:
            done = run(*command.split())
            assert done.returncode == 0, (command, done.stderr)

    def cut(self) -> None:
        run("ip", "link", "set", OURS, "down")

    def mend(self) -> None:
        run("ip", "link", "set", OURS, "up")

    def squeeze(self, rate: str) -> None:
        """Both directions; a queue of half a second, as in the modems of villages."""
        wire = f"root tbf rate {rate} burst 3000 latency 500ms"
        for done in (
            run("tc", "qdisc", "replace", "dev", OURS, *wire.split()),
            run(
                "ip", "netns", "exec", NAME, "tc", "qdisc", "replace", "dev", THEIRS, *wire.split()
            ),
        ):
            assert done.returncode == 0, done.stderr

    def widen(self) -> None:
        run("tc", "qdisc", "del", "dev", OURS, "root")
        run("ip", "netns", "exec", NAME, "tc", "qdisc", "del", "dev", THEIRS, "root")

    def remove(self) -> None:
        run("ip", "netns", "del", NAME)
        run("ip", "link", "del", OURS)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.remove()


@pytest.fixture
def consultation(site: Site) -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


@pytest.fixture
def away(playwright: Playwright, line: Line, site: Site, tmp_path: Path) -> Iterator[Browser]:
    """A browser at the other end of the line; the site listens at this end too."""
    port = free_port()
    site.start_server(host=HERE, port=port)
    url = site.urls.pop()
    starter = tmp_path / "chromium"
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    starter.write_text(f'#!/bin/sh\nexec ip netns exec {NAME} "{program}" "$@"\n')
    starter.chmod(starter.stat().st_mode | stat.S_IXUSR)
    # Only https and loopback get a camera; this stands for the certificate.
    secure = f"--unsafely-treat-insecure-origin-as-secure={url}"
    started = launch(playwright, *FAKE_MEDIA, secure, within=str(starter))
    started.url = url  # type: ignore[attr-defined]
    yield started
    started.close()
    site.stop(site.processes[-1])


@pytest.fixture
def people(site: Site, browser: Browser, away: Browser, consultation):
    """The doctor is at the far end, the patient here."""
    doctors = context_of(away, away.url, consultation.doctor.user, staff=True)
    patients = context_of(browser, site.urls[0], consultation.patient.account)
    doctor = comes_in(doctors, consultation, consultation.doctor.user)
    patient = comes_in(patients, consultation, consultation.patient.account)
    for person in (doctor, patient):
        person.is_connected()
        person.has_picture()
    yield doctor, patient
    doctors.close()
    patients.close()


def test_a_doctors_laptop_that_is_offline_for_20_s_comes_back_by_itself(
    site: Site, line: Line, people, consultation
):
    doctor, patient = people
    line.cut()
    doctor.sees_state("reconnecting")
    patient.sees_state("reconnecting")
    time.sleep(20)
    line.mend()
    for person in (doctor, patient):
        person.is_connected()
        person.receives("frames")
        person.receives("energy", 0.001)
    consultation.refresh_from_db()
    assert consultation.state == Consultation.State.IN_PROGRESS
    patient.page.get_by_label("Your message").fill("Here you are again")
    patient.page.keyboard.press("Enter")
    expect(doctor.page.get_by_text("Here you are again")).to_be_visible()


def test_at_50_kbit_the_picture_goes_the_sound_stays_whole_and_the_picture_comes_back(
    line: Line, people
):
    doctor, patient = people
    line.squeeze("50kbit")
    for person in (doctor, patient):
        until(lambda person=person: person.page.locator(".tile.no-picture").count())
        person.sees_state("weak")
    until(lambda: no_picture_travels(doctor, patient))
    until(lambda: sound_is_whole_without_a_picture(doctor, patient))
    line.widen()
    for person in (doctor, patient):
        person.receives("frames", 20)


def sound_is_whole_without_a_picture(*people: Person) -> bool:
    """While 300 packets of sound come to each. False when a picture was tried again meanwhile."""
    before = [person.look() for person in people]
    until(lambda: all(one["packets"] >= 300 for one in came_since(before, people)))
    came = came_since(before, people)
    if any(one["videoOut"] or one["frames"] for one in came):
        return False
    for one in came:
        assert one["lost"] / (one["packets"] + one["lost"]) < 0.02
        assert one["energy"] > 0
    return True


def came_since(before: list[dict[str, Any]], people: tuple[Person, ...]) -> list[dict[str, float]]:
    what = ("packets", "lost", "energy", "videoOut", "frames")
    now = [person.look() for person in people]
    return [
        {name: one[name] - was[name] for name in what} for one, was in zip(now, before, strict=True)
    ]


def no_picture_travels(*people: Person) -> bool:
    """None is sent and none arrives for five seconds: what was in the queues has gone through.

    All of them in the same seconds: after thirty quiet ones a picture is tried again.
    """
    before = [person.look() for person in people]
    time.sleep(5)
    now = [person.look() for person in people]
    return all(
        one["videoOut"] == was["videoOut"] and one["frames"] == was["frames"]
        for one, was in zip(now, before, strict=True)
    )
