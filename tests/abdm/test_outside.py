"""Records go to whom the asker names: never into our own net, and nothing of ours goes along."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone

from consult.abdm import crypto, gateway, messages
from consult.abdm.outside import NotOutside, pinned
from consult.abdm.work import work_on
from consult.models import AbdmMessage
from tests.abdm.fake_gateway import FakeGateway
from tests.abdm.test_callbacks import a_consent, a_request
from tests.fhir import records

pytestmark = pytest.mark.django_db


def pushed_to(url: str, calls) -> AbdmMessage:
    """What became of the records of a consent, asked for at this address."""
    past = records.minimal()
    asked = a_request(a_consent(past.patient, care_contexts=[str(past.uid)]), crypto.new_keys())
    asked["hiRequest"]["dataPushUrl"] = url
    calls.worked("hip/health-information/request", asked, "on-request")
    message = AbdmMessage.objects.get(kind="push")
    work_on(message.pk)
    message.refresh_from_db()
    return message


class Place(ThreadingHTTPServer):
    """Where records are pushed to; answers everything with `status` and `says`, as often as `times`."""

    status, says, times = 200, b"Thank you", 1

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Push)
        self.asked: list[str] = []  # by which names
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Push(BaseHTTPRequestHandler):
    server: Place

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.headers["Host"])
        self.send_response(self.server.status)
        self.end_headers()
        try:
            for _time in range(self.server.times):
                self.wfile.write(self.server.says)
        except OSError:  # nobody listens any more
            return

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.shutdown()
    made.server_close()


def test_whatever_the_asker_answers_the_records_go_once(place, calls):
    assert pushed_to(f"{place.url}/push", calls).done_at


def test_who_does_not_let_us_in_ends_no_session_of_ours(place, calls):
    place.status = 401
    assert pushed_to(f"{place.url}/push", calls).error == f"GatewayAway: 401 at {place.url}/push"
    assert work_on(messages.send("test", "/api/hiecm/anything", {}).pk)
    assert len(calls.gateway.of("/sessions")) == 1


def test_an_address_that_goes_on_where_ours_ends_is_told_nothing(calls):
    """Written behind the gateway's own address it would be another host, and be shown our session."""
    thief = FakeGateway()
    try:
        host = thief.url.removeprefix("http://")
        message = pushed_to(f"@{host}/push", calls)
    finally:
        thief.shutdown()
        thief.server_close()
    assert (message.done_at, thief.received) == (None, [])


def test_what_is_no_path_at_the_gateway_is_not_sent(calls):
    with pytest.raises(gateway.GatewayRefused):
        gateway.post("@127.0.0.1:9/x", {})
    assert pushed_to("/api/hiecm/anything", calls).done_at is None
    assert calls.gateway.of("/anything") == []


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/push", "https://127.0.0.1/push", "https://[::1]/push", "https://0/push",
        "https://2130706433/push", "https://10.1.2.3/push", "https://192.168.0.1/push",
        "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://224.0.0.1/",
        "https://[::ffff:10.0.0.1]/", "https://[2002:7f00:1::]/", "https://[fd00::1]/",
        "https://[fe80::1]/", "http://8.8.8.8/push", "https://me:secret@8.8.8.8/push",
        "ftp://8.8.8.8/", "https:///push", "push", "",
    ],
)  # fmt: skip
def test_no_address_of_our_own_net_is_asked(url, settings):
    with pytest.raises(NotOutside):
        pinned(url)
    settings.SECURE = True
    with pytest.raises(gateway.GatewayRefused):
        gateway.push(url, {})


def test_the_very_address_that_was_looked_at_is_asked():
    assert pinned("https://8.8.8.8:8443/push?a=1") == {
        "url": "https://8.8.8.8:8443/push?a=1",
        "headers": {"Host": "8.8.8.8:8443"},
        "extensions": {"sni_hostname": "8.8.8.8"},
    }


@pytest.fixture
def known_as(place, tmp_path, monkeypatch):
    """The place behind TLS and a certificate for this name, which is trusted; the net leads there."""

    def known(name: str) -> str:
        key, certificate = tmp_path / "key", tmp_path / "certificate"
        a_certificate(name, key, certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        place.socket = tls.wrap_socket(place.socket, server_side=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        ask = socket.getaddrinfo
        leads = {"records.example": "8.8.8.8", "8.8.8.8": "127.0.0.1"}
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *more, **words: ask(leads[host], *more, **words)
        )
        return f"https://records.example:{place.server_address[1]}/push"

    return known


def a_certificate(name: str, key: Path, certificate: Path) -> None:
    made, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateBuilder(subject, subject, made.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(made, hashes.SHA256())
    )
    key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))


def test_records_reach_an_address_of_the_open_net_by_its_name(place, known_as, settings):
    settings.SECURE = True
    url = known_as("records.example")
    gateway.push(url, {"a": 1})
    assert place.asked == [url.removeprefix("https://").removesuffix("/push")]


def test_whose_certificate_is_another_names_gets_nothing(place, known_as, settings):
    settings.SECURE = True
    with pytest.raises(gateway.GatewayAway):
        gateway.push(known_as("other.example"), {"a": 1})
    assert place.asked == []


def test_an_answer_without_end_is_not_read_to_its_end(place, calls, settings):
    place.says, place.times = b"[" * 65_536, 1_000
    settings.ABDM = settings.ABDM | {"abha_url": place.url}
    message = messages.send("test", "/abha/anything", {})
    AbdmMessage.objects.filter(pk=message.pk).update(due_at=timezone.now())
    assert not work_on(message.pk)
    message.refresh_from_db()
    assert message.error.startswith("GatewayAway: An answer without end")
