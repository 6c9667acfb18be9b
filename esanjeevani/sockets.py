"""Uvicorn's sockets with two things more: a short way for a small text, and an end for slow readers.

    uvicorn --ws=esanjeevani.sockets:Sockets esanjeevani.asgi:application

The short way is offered to the application as an extension of the ASGI scope. Without it (daphne)
everything goes through `send`, which costs several times as much: docs/decisions/0020.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from esanjeevani.live import PUSH

HIGH_WATER = 16_384  # bytes kept for a socket that does not take them; then it counts as stalled
STALLED_FOR = 30.0  # seconds until a stalled socket is cut off: its page comes back and catches up
FINAL_TEXT, LENGTH_IN_TWO_BYTES = 0x81, 126  # RFC 6455, section 5.2
LONGEST = 65_535  # bytes of a small frame


def frame(text: bytes) -> bytes:
    """One unmasked WebSocket frame with up to 65,535 bytes of UTF-8. Raises OverflowError beyond."""
    size = len(text)
    if size < LENGTH_IN_TWO_BYTES:
        return bytes((FINAL_TEXT, size)) + text
    return bytes((FINAL_TEXT, LENGTH_IN_TWO_BYTES)) + size.to_bytes(2, "big") + text


class Sockets(WebSocketsSansIOProtocol):
    """One connection."""

    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:  # else it was refused and there is no scope
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
