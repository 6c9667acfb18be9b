"""Uvicorn with our sockets: the short way for a text, and what becomes of somebody who does not read."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame
from websockets.uri import parse_uri

from esanjeevani.live import sockets
from esanjeevani.live.hub import PUSH
from esanjeevani.live.sockets import Arrival, Sockets, frame
from tests.running import SOON

Push = Callable[[bytes], bool]


@asynccontextmanager
async def serving(
    scene: Callable[[Push, Any], Awaitable[None]], compressed: bool = False
) -> AsyncIterator[str]:
    """A server whose every socket is accepted and given to `scene` with its `send`."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        push = scope["extensions"][PUSH]["push"]
        assert push(b"too early") is False
        await send({"type": "websocket.accept"})
        await scene(push, send)

    async with running(application, ws_per_message_deflate=compressed) as port:
        yield f"ws://127.0.0.1:{port}/"


@asynccontextmanager
async def running(application: Any, **how: Any) -> AsyncIterator[int]:
    """The port."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, http=Arrival, ws=Sockets, lifespan="off", log_level="warning",
        timeout_graceful_shutdown=1, **how,
    )  # fmt: skip
    server = uvicorn.Server(config)
    until_the_end = asyncio.create_task(server.serve([listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await until_the_end


HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nHost: here\r\nUPGRADE: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nCooKie: Key=Ab\r\n\r\n"
)


async def says_what_came(scope: Any, receive: Any, send: Any) -> None:
    """The cookie of a socket; of a request, that it is one."""
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": dict(scope["headers"])[b"cookie"].decode()})
        await send({"type": "websocket.close"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a request"})


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ([HANDSHAKE], [b"HTTP/1.1 101 ", b"Key=Ab"]),
        ([HANDSHAKE[:90], HANDSHAKE[90:]], [b"HTTP/1.1 101 ", b"Key=Ab"]),
        ([b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"], [b" 200 ", b"a request"]),
        ([HANDSHAKE.replace(b"Version: 13", b"Version: 1")], [b"HTTP/1.1 400 "]),
        ([HANDSHAKE.replace(b"/ws/", b"/" + b"x" * 9000)], [b"HTTP/1.1 414 "]),
        ([HANDSHAKE.replace(b"Host: here", b"no header")], []),
        ([b"no request\r\n\r\n"], [b"HTTP/1.1 400 "]),
    ],
    ids=["socket", "in pieces", "request", "refused", "too long", "broken", "nonsense"],
)
def test_a_connection_is_what_its_first_bytes_say(pieces: list[bytes], answer: list[bytes]):
    """What is none of the two is answered, or let go."""

    async def play() -> bytes:
        async with running(says_what_came) as port:
            incoming, outgoing = await asyncio.open_connection("127.0.0.1", port)
            for piece in pieces:
                outgoing.write(piece)
                await outgoing.drain()
                await asyncio.sleep(0.05)
            said = b""
            async with asyncio.timeout(SOON):
                while not answer or not all(part in said for part in answer):
                    if not (more := await incoming.read(4096)):
                        break
                    said += more
            outgoing.close()
            return said

    said = asyncio.run(play())
    assert [part for part in answer if part not in said] == []
    assert bool(said) == bool(answer)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4096, 65_535])
def test_a_frame_is_what_a_browser_reads(size):
    client = ClientProtocol(parse_uri("ws://127.0.0.1/"))
    client.state = client.state.OPEN
    client.reader.feed_data(frame(b"x" * size))
    parsing = Frame.parse(client.reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert parsed.value.value == Frame(1, b"x" * size)


def test_what_is_too_long_for_a_small_frame_is_refused():
    with pytest.raises(OverflowError):
        frame(b"x" * 65_536)


def test_pushed_and_sent_texts_arrive_in_order():
    async def scene(push: Push, send: Any) -> None:
        for number in range(0, 100, 2):
            await send({"type": "websocket.send", "text": str(number)})
            assert push(str(number + 1).encode())
        taken["too long"] = push(b"x" * 65_536)
        await send({"type": "websocket.close"})
        taken["after the end"] = push(b"")

    taken: dict[str, bool] = {}

    async def play() -> list[str]:
        async with serving(scene) as url, connect(url, compression=None, proxy=None) as page:
            return [text async for text in page]

    assert asyncio.run(play()) == [str(number) for number in range(100)]
    assert taken == {"too long": False, "after the end": False}


def test_into_a_compressed_socket_nothing_is_pushed():
    async def scene(push: Push, send: Any) -> None:
        await send({"type": "websocket.send", "text": str(push(b"in between"))})

    async def play() -> str | bytes:
        async with serving(scene, compressed=True) as url, connect(url, proxy=None) as page:
            return await page.recv()

    assert asyncio.run(play()) == "False"


def test_who_does_not_read_is_pushed_a_bounded_amount_and_then_cut_off(monkeypatch):
    monkeypatch.setattr(sockets, "STALLED_FOR", 0.2)
    pushed: asyncio.Future[int]

    async def scene(push: Push, send: Any) -> None:
        count = 0
        while push(b"x" * 1000):
            count += 1
            await asyncio.sleep(0)
        pushed.set_result(count)
        await asyncio.Event().wait()  # the application does not end it

    async def play() -> int:
        nonlocal pushed
        pushed = asyncio.get_running_loop().create_future()
        async with serving(scene) as url, connect(url, compression=None, proxy=None) as page:
            page.transport.pause_reading()
            count = await asyncio.wait_for(pushed, SOON)
            await asyncio.sleep(0.5)
            page.transport.resume_reading()
            async with asyncio.timeout(SOON):
                with contextlib.suppress(ConnectionClosed):
                    while await page.recv():
                        pass
            return count

    assert 0 < asyncio.run(play()) < 20_000


def test_who_reads_again_in_time_stays(monkeypatch):
    # Sooner than the server asks who is still there.
    monkeypatch.setattr(sockets, "STALLED_FOR", 15)
    stalled: asyncio.Event

    async def scene(push: Push, send: Any) -> None:
        loop = asyncio.get_running_loop()
        while push(b"x" * 1000):
            await asyncio.sleep(0)
        stalled.set()
        while not push(b"read"):
            await asyncio.sleep(0.01)
        now = loop.time
        loop.time = lambda: now() + sockets.STALLED_FOR  # longer than anybody's patience, at once
        await asyncio.sleep(0.01)
        await send({"type": "websocket.send", "text": "still here"})

    async def play() -> None:
        nonlocal stalled
        stalled = asyncio.Event()
        async with serving(scene) as url, connect(url, compression=None, proxy=None) as page:
            page.transport.pause_reading()
            await asyncio.wait_for(stalled.wait(), SOON)
            page.transport.resume_reading()
            async with asyncio.timeout(SOON):
                while await page.recv() != "still here":
                    pass

    asyncio.run(play())
