"""An SMS gateway on loopback: keeps what it was given, and how often."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator

from aiohttp import web

CODE = re.compile(r"\b\d{6}\b")
PATIENCE = 60.0  # seconds until the code must be there


class Gateway:
    """Answers as MSG91 does when all is well."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()  # by the row's number in the outbox
        self.codes: dict[str, str] = {}  # by mobile number, the newest
        self.came = asyncio.Condition()

    async def _send(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.received[said["reference"]] += 1
        if found := CODE.search(said["text"]):
            async with self.came:
                self.codes[said["to"]] = found[0]
                self.came.notify_all()
        return web.json_response({"type": "success"})

    async def code_for(self, phone: str) -> str:
        """Raises TimeoutError when it does not come."""
        async with asyncio.timeout(PATIENCE), self.came:
            await self.came.wait_for(lambda: phone in self.codes)
            return self.codes.pop(phone)

    @contextlib.asynccontextmanager
    async def listen(self, port: int) -> AsyncIterator["Gateway"]:
        application = web.Application()
        application.router.add_post("/send", self._send)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield self
        finally:
            await runner.cleanup()
