"""A lean HTTP client, so that the server is measured and not this: whole requests as bytes,
one connection per client, kept open, each client asking again as soon as it is answered.
"""

import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

TIMEOUT = 30  # seconds
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nlocation: *([^\r]*)", re.IGNORECASE)


class Unexpected(Exception):
    """The server answered something else than the measured page."""


@dataclass(frozen=True)
class Answer:
    """One response."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head[9:12])

    @property
    def location(self) -> str:
        """Where it redirects to, "" if nowhere."""
        found = LOCATION.search(self.head)
        return found[1].decode() if found else ""


@dataclass(frozen=True)
class Wanted:
    """The answer that shows that the thing was done: a refusal may be a redirect too."""

    status: int
    location: str = ""  # how it begins
    cookie: str = ""  # one that it sets

    def check(self, answer: Answer, request: bytes) -> None:
        """Raises Unexpected."""
        right = (
            answer.status == self.status
            and answer.location.startswith(self.location)
            and f" {self.cookie}".encode() in answer.head
        )
        # Django's messages tell people what was refused.
        if not right or b"messages=" in answer.head:
            asked = request.partition(b"\r\n")[0].decode()
            page = answer.body[:2000].decode(errors="replace")
            raise Unexpected(f"{asked}\n{answer.head.decode()}\n\n{page}")


class Connection:
    """One connection that is kept open."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> Answer:
        """Raises Unexpected when the server closes the connection."""
        self._socket.sendall(request)
        data = self._more(b"")
        while (end := data.find(b"\r\n\r\n")) < 0:
            data = self._more(data)
        length = LENGTH.search(data, 0, end)
        needed = end + 4 + (int(length[1]) if length else 0)
        while len(data) < needed:
            data = self._more(data)
        return Answer(data[:end], data[end + 4 : needed])

    def _more(self, data: bytes) -> bytes:
        received = self._socket.recv(65536)
        if not received:
            raise Unexpected("The server closed the connection.")
        return data + received

    def close(self) -> None:
        self._socket.close()


@dataclass
class Drive:
    """What came of one closed loop."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)  # seconds each
    cpu: float = 0.0  # seconds, of this process


def drive(
    address: tuple[str, int],
    requests: Iterable[bytes],
    wanted: Wanted,
    *,
    seconds: float,
    clients: int,
) -> Drive:
    """Send the requests until `seconds` are over or none is left; each client at least one.

    Raises Unexpected, OSError.
    """
    left, result, errors = deque(requests), Drive(), deque[Exception]()
    cpu, begun = time.process_time(), time.perf_counter()

    def one_client() -> None:
        try:
            connection = Connection(address)
            over = False
            while left and not errors and not over:
                request = left.popleft()
                asked = time.perf_counter()
                answer = connection.ask(request)
                result.latencies.append(time.perf_counter() - asked)
                wanted.check(answer, request)
                over = time.perf_counter() - begun > seconds
            connection.close()
        except IndexError:
            pass  # another client was faster with the last request
        except (OSError, Unexpected) as error:
            errors.append(error)

    threads = [threading.Thread(target=one_client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds, result.cpu = time.perf_counter() - begun, time.process_time() - cpu
    if errors:
        raise errors[0]
    return result
