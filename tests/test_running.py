"""tests/running.py: a server finds a port, whoever else looks for one at the same moment."""

import os
import socket

import pytest

from tests.running import Gateway, PortTaken, Site, free_port

# Ready at once, and as loud as the real ones where it may not listen.
READY = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

HTTPServer((sys.argv[1], int(sys.argv[3])), Ready).serve_forever()
"""


def test_a_port_that_was_taken_meanwhile_is_left_to_whoever_took_it(monkeypatch):
    site = Site([], Gateway(), dict(os.environ))
    try:
        with socket.socket() as others:
            others.bind(("127.0.0.1", 0))
            taken, free = others.getsockname()[1], free_port()
            ports = iter([taken, free])
            monkeypatch.setattr("tests.running.free_port", lambda: next(ports))
            site.start_server(server=["-c", READY])
            assert site.urls == [f"http://127.0.0.1:{free}"]
            with pytest.raises(PortTaken):
                site.start_server(server=["-c", READY], port=taken)
        assert len(site.processes) == 1
    finally:
        for process in list(site.processes):
            site.stop(process)
        site.gateway.shutdown()
        site.gateway.server_close()
