"""Uvicorn's sockets with three things more: two short ways, and an end for slow readers.

    uvicorn esanjeevani.asgi:application
        --http=esanjeevani.live.sockets:Arrival --ws=esanjeevani.live.sockets:Sockets

A handshake goes to the socket as it came. By uvicorn's own way it is read by h11, written down again and
read by websockets. A small text is written at once.

That is offered to the application as an extension of the ASGI scope. Without it (daphne)
everything goes through `send`, which costs several times as much: docs/decisions/0020.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from esanjeevani.live.hub import PUSH

HIGH_WATER = 16_384  # bytes kept for a socket that does not take them; then it counts as stalled
STALLED_FOR = 30.0  # seconds until a stalled socket is cut off: its page comes back and catches up
FINAL_TEXT, LENGTH_IN_TWO_BYTES = 0x81, 126  # RFC 6455, section 5.2
END_OF_HEAD = b"\r\n\r\n"
LONGEST = 65_535  # bytes of a small frame


def frame(text: bytes) -> bytes:
    """One unmasked WebSocket frame with up to 65,535 bytes of UTF-8. Raises OverflowError beyond."""
    size = len(text)
    if size < LENGTH_IN_TWO_BYTES:
        return bytes((FINAL_TEXT, size)) + text
    return bytes((FINAL_TEXT, LENGTH_IN_TWO_BYTES)) + size.to_bytes(2, "big") + text


def is_handshake(data: bytes) -> bool:
    """The whole head of a request for a socket, and nothing more. What is not plainly one is for HTTP."""
    return (
        data.startswith(b"GET ")
        and data.find(END_OF_HEAD) == len(data) - len(END_OF_HEAD)
        and b"\r\nupgrade: websocket\r\n" in data.lower()
    )


class Arrival(asyncio.Protocol):
    """A new connection, until its first bytes say what it is."""

    transport: asyncio.Transport

    def __init__(self, **given: Any) -> None:
        self.given = given  # by uvicorn, for every protocol
        self.connections = given["server_state"].connections

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.connections.discard(self)
        kind = Sockets if is_handshake(data) else H11Protocol
        protocol = kind(**self.given)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)

    def shutdown(self) -> None:
        """The server ends, and nothing was asked yet."""
        self.transport.close()


class Sockets(WebSocketsSansIOProtocol):
    """One connection."""

    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc and not self.handshake_initiated:  # too long, or no HTTP at all
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:  # else it was refused and there is no scope
            headers = self.scope["headers"]
            self.scope["headers"] = [(name.lower(), value) for name, value in headers]
            self.scope["extensions"][PUSH] = {"push": self.push}

    def push(self, text: bytes) -> bool:
        """Write it now. False, and nothing is written, when the socket is not ready to take it."""
        if (
            not self.writable.is_set()
            or not self.handshake_complete
            or self.close_sent
            or self.conn.extensions  # a compressed stream is not ours to write into
            or self.transport.is_closing()
            or len(text) > LONGEST
        ):
            return False
        self.transport.write(frame(text))
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self.patience = self.loop.call_later(STALLED_FOR, self.transport.abort)

    def resume_writing(self) -> None:
        self._calm()
        super().resume_writing()

    def _calm(self) -> None:
        if self.patience:
            self.patience.cancel()
            self.patience = None
