"""The proxy's configuration, run by a real nginx in front of two stand-ins."""

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from deploy.trial import Processes, free_port, make_certificate, nginx, proxy_config
from tests.running import SOON

pytestmark = pytest.mark.skipif(
    nginx() is None and not os.environ.get("REQUIRE_SERVICES"), reason="nginx is not installed"
)
MEGABYTE = 1024 * 1024
opened = partial(connect, proxy=None, open_timeout=SOON)


class Web(BaseHTTPRequestHandler):
    """Answers with the headers it was asked with."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({k.lower(): v for k, v in self.headers.items()} | {"fill": "x" * 600})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET  # noqa: N815 - the name that http.server asks for

    def log_message(self, *_args: object) -> None:
        pass


def tell_headers(page: ServerConnection) -> None:
    headers = page.request.headers if page.request else {}
    page.send(json.dumps({k.lower(): v for k, v in headers.items()}))


@contextmanager
def running(folder: Path, listen: str, ports: dict[str, int]) -> Iterator[None]:
    """nginx with our configuration, once it takes connections."""
    make_certificate(folder / "tls")
    config = proxy_config(folder, listen, ports)
    processes = Processes(folder)
    processes.start("nginx", [str(nginx()), "-g", "daemon off;", "-c", str(config)], {})
    try:
        assert takes_connections(ports["proxy"]), processes.log("nginx")
        yield
    finally:
        processes.stop_all()


def takes_connections(port: int) -> bool:
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    live = serve(tell_headers, "127.0.0.1", 0)
    for server in (web, live):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = {"web": web.server_port, "live": live.socket.getsockname()[1]}
    ports |= {"proxy": free_port(), "tls": free_port()}
    with running(tmp_path_factory.mktemp("proxy"), "http", ports):
        yield ports
    web.shutdown()
    web.server_close()
    live.shutdown()


def ask(
    port: int, path: str = "/", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
    # A body that is too large is refused while it is still being sent.
    with suppress(BrokenPipeError, ConnectionResetError):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        wire.request("POST" if body else "GET", path, body, names)
    answer = wire.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    wire.close()
    return result


def headers_at_web(ports: dict[str, int], **headers: str) -> dict[str, str]:
    return json.loads(ask(ports["proxy"], **headers)[2])


def test_it_strips_the_header_that_daphne_believes(ports):
    assert "daphne-root-path" not in headers_at_web(ports, Daphne_Root_Path="/elsewhere")
    url = f"ws://127.0.0.1:{ports['proxy']}/ws/desk/"
    with opened(url, additional_headers={"Daphne-Root-Path": "/elsewhere"}) as page:
        assert "daphne-root-path" not in json.loads(page.recv())


def test_it_adds_the_address_last_whatever_the_client_claims(ports):
    seen = headers_at_web(ports, X_Forwarded_For="10.9.8.7", X_Forwarded_Proto="https")
    assert seen["x-forwarded-for"] == "10.9.8.7, 127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"


def test_it_keeps_the_name_the_client_asked_for(ports):
    assert headers_at_web(ports, Host="clinic.example:8443")["host"] == "clinic.example:8443"


def test_it_upgrades_sockets_and_nothing_else(ports):
    with opened(f"ws://127.0.0.1:{ports['proxy']}/ws/desk/") as page:
        assert json.loads(page.recv())["upgrade"] == "websocket"
    assert "upgrade" not in headers_at_web(ports, Upgrade="websocket", Connection="Upgrade")


def test_it_takes_a_photo_and_refuses_what_is_larger(ports):
    assert ask(ports["proxy"], body=b"x" * (11 * MEGABYTE))[0] == 200
    status, _headers, page = ask(ports["proxy"], body=b"x" * (13 * MEGABYTE))
    assert (status, "choose a smaller one" in page.decode()) == (413, True)


def test_while_the_site_is_away_people_read_what_to_do(tmp_path):
    ports = {"web": free_port(), "live": free_port(), "proxy": free_port(), "tls": free_port()}
    with running(tmp_path, "http", ports):
        status, headers, page = ask(ports["proxy"])
    assert (status, headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert "एक मिनट रुकें" in page.decode()


def test_it_takes_no_body_for_a_socket(ports):
    assert ask(ports["proxy"], "/ws/desk/", body=b"x" * 2000)[0] == 413


def test_it_compresses(ports):
    assert ask(ports["proxy"], Accept_Encoding="gzip")[1]["Content-Encoding"] == "gzip"


def test_it_says_https_behind_a_load_balancer(ports, tmp_path):
    other = ports | {"proxy": free_port()}
    with running(tmp_path, "behind", other):
        assert headers_at_web(other)["x-forwarded-proto"] == "https"


def test_nginx_accepts_the_configuration_with_tls(tmp_path):
    make_certificate(tmp_path / "tls")
    ports = {name: free_port() for name in ("proxy", "tls", "web", "live")}
    config = proxy_config(tmp_path, "tls", ports)
    tested = subprocess.run(
        [str(nginx()), "-t", "-c", str(config)], capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
