"""coturn as it runs in production and in development: whom it lets in, and what nobody reaches through it."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consult.ice import credentials
from deploy.trial import ROOT, free_port, make_certificate
from tests.calling import SECRET
from tests.faults.parts import listens, servers
from tests.running import SOON

pytestmark = pytest.mark.coturn
HOUR = 3600  # seconds


def mint(seconds: int, secret: str = SECRET) -> tuple[str, str]:
    """As RFC drafts and coturn's manual say, without our own code."""
    name = f"{int(time.time()) + seconds}:somebody"
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(digest).decode()


def ask(port: int, name: str, word: str, *more: str, until: str = "", seconds: int = SOON) -> str:
    """What coturn's own client says of one allocation and a packet through it.

    It waits long for a packet back, which no public address sends: it is not asked on after `until`.
    """
    command = f"timeout {seconds} stdbuf -oL turnutils_uclient -n 1 -m 1 -c -X".split()
    command += [*more, "-u", name, "-w", word, "-p", str(port), "127.0.0.1"]
    said = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as client:
        for line in client.stdout or []:
            said += line
            if until and until in line:
                client.terminate()
                break
    return said


def ask_over_tls(port: int, name: str, word: str, until: str) -> str:
    """The client's own handshake hangs every other time, before coturn is asked anything: then once more."""
    for tries in range(20):
        more = ["-t", "-S", "-e", "198.41.0.4", "-v"]
        seconds = 2 + tries  # longer where all is slow
        said = ask(port, name, word, *more, until=until, seconds=seconds)
        if until in said:
            return said
    raise AssertionError(f"Not {until}: {said}")


@contextmanager
def as_in_the_container(name: str, tls_port: int = 0, **environment: str) -> Iterator[int]:
    """deploy/coturn/start with its configuration, on loopback; its port. `tls_port` with a certificate."""
    folder = Path(os.environ["VAR_DIR"]) / name
    folder.mkdir()
    port = free_port()
    command = [str(ROOT / "deploy" / "coturn" / "start")]
    command += ["--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, str(port), "--tls-listening-port", str(tls_port or free_port())],
            env={
                "PATH": os.environ["PATH"],
                "TURN_SECRET": SECRET,
                "TURN_REALM": "example.org",
                "TURN_FOLDER": str(folder),
                "TURN_CERTIFICATES": str(folder / "none"),
                **environment,
            },
            stdout=log,
            stderr=log,
        )
    until = time.monotonic() + SOON
    while time.monotonic() < until and process.poll() is None:
        if servers.relays(port) and (not tls_port or listens(tls_port)):
            break
        time.sleep(0.05)
    try:
        assert process.poll() is None, (folder / "log").read_text()
        assert SECRET not in Path(f"/proc/{process.pid}/cmdline").read_text()
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def hardened() -> Iterator[int]:
    with as_in_the_container("hardened") as port:
        yield port


def test_over_tls_it_lets_in_whom_it_lets_in_over_udp(tmp_path: Path):
    make_certificate(tmp_path / "tls")
    tls_port = free_port()
    with as_in_the_container("tls", tls_port, TURN_CERTIFICATES=str(tmp_path / "tls")):
        let_in = "Received relay addr: 127.0.0.1"
        said = ask_over_tls(tls_port, *mint(HOUR), until=let_in)
        assert "client session connected with cipher" in said
        said = ask_over_tls(tls_port, *mint(-1), until="Cannot complete Allocation")
        assert let_in not in said


def test_behind_address_translation_it_names_its_public_address():
    with as_in_the_container("mapped", TURN_EXTERNAL_IP="198.41.0.4/127.0.0.1") as port:
        named = "relay addr: 198.41.0.4"
        assert named in ask(port, *mint(HOUR), "-e", "198.41.0.5", "-v", until=named)


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1"]
)
def test_nobody_reaches_our_own_network_through_it(hardened: int, peer: str):
    refused = "403 (Forbidden IP)"
    assert refused in ask(hardened, *mint(HOUR), "-e", peer, until=refused)


def test_what_the_site_mints_opens_it_for_public_addresses(hardened: int, settings):
    settings.TURN_SECRET, settings.TURN_SECONDS = SECRET, HOUR
    given = credentials("somebody")
    passed = "tot_send_msgs=1"
    said = ask(hardened, given["username"], given["credential"], "-e", "198.41.0.4", until=passed)
    assert passed in said
    assert "error" not in said.lower()


@pytest.mark.parametrize(
    ("seconds", "secret"), [(-1, SECRET), (HOUR, "another")], ids=["expired", "another secret"]
)
def test_who_has_no_credentials_of_ours_stays_out(hardened: int, seconds: int, secret: str):
    refused = "Cannot complete Allocation"
    assert refused in ask(hardened, *mint(seconds, secret), "-y", until=refused)


def test_for_development_it_relays_between_two_on_one_machine():
    program = shutil.which("env") or "env"
    started = subprocess.Popen(
        [str(ROOT / "deploy" / "with-services"), "--", "sh", "-c", f"{program}; exec sleep 60"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout
    found = {}
    for line in started.stdout:
        name, _, value = line.strip().partition("=")
        found[name] = value
        if "TURN_URLS" in found and "TURN_SECRET" in found:
            break
    port = int(found["TURN_URLS"].split(":")[2].split("?")[0])
    said = ask(port, *mint(HOUR, found["TURN_SECRET"]), "-y", "-m", "2")
    started.terminate()
    started.stdout.close()
    started.wait(SOON)
    assert "Total lost packets 0 (" in said
