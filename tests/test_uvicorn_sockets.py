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

from esanjeevani import sockets
from esanjeevani.live import PUSH
from esanjeevani.sockets import Sockets, frame
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

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, ws=Sockets, lifespan="off", log_level="warning",
        ws_per_message_deflate=compressed, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listening]))
    try:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        await running


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
    monkeypatch.setattr(sockets, "STALLED_FOR", 1.0)
    stalled: asyncio.Event

    async def scene(push: Push, send: Any) -> None:
        while push(b"x" * 1000):
            await asyncio.sleep(0)
        stalled.set()
        await asyncio.sleep(1.5)  # longer than anybody's patience
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
