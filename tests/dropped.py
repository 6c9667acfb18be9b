"""Many waiting pages that lose their sockets in the same moment, and what they are told afterwards."""

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake
from websockets.typing import Origin

from consult.models import Consultation
from tests.running import session_of

BACK_WITHIN = 90  # seconds: whoever is not back by then is lost


class Waiting:
    """One patient's page. `told` is what it was told since it was opened, by type."""

    def __init__(self, case: Consultation) -> None:
        self.path = f"/ws/consultations/{case.uid}/"
        self.cookie = f"{settings.SESSION_COOKIE_NAME}={session_of(case.patient.account)}"
        self.token_id = case.token_id
        self.told: dict[str, dict[str, Any]] = {}

    async def open(self, url: str, origin: str, ahead: int) -> None:
        """Returns once it says so many are ahead; tries again as static/js/live.js does, but sooner."""
        self.told = {}
        while True:
            with suppress(OSError, TimeoutError, InvalidHandshake):
                self.socket = await self._connect(url, origin)
                break
            await asyncio.sleep(random.uniform(0, 1))
        while self.told.get("place", {}).get("ahead") != ahead:
            message = json.loads(await self.socket.recv())
            self.told[message["type"]] = message

    def _connect(self, url: str, origin: str) -> Any:
        return connect(
            url + self.path,
            origin=Origin(origin),
            additional_headers={"Cookie": self.cookie},
            compression=None,
            proxy=None,
            open_timeout=BACK_WITHIN,
            ping_interval=None,
        )

    def lose(self) -> None:
        """Without a goodbye."""
        socket: ClientConnection = self.socket
        socket.transport.abort()


async def dropped_at_once(
    pages: list[Waiting],
    next_url: Callable[[], str],
    origin: str,
    first_leaves: Callable[[], object],
) -> None:
    """All lose their socket, the one before them leaves the line, all come back at the same moment.

    Raises TimeoutError when one of them is not shown the right place.
    """

    async def all_come(before: int) -> None:
        async with asyncio.timeout(BACK_WITHIN), asyncio.TaskGroup() as group:
            for ahead, page in enumerate(pages, before):
                group.create_task(page.open(next_url(), origin, ahead))

    await all_come(before=1)
    for page in pages:
        page.lose()
    await asyncio.to_thread(first_leaves)
    await all_come(before=0)
    for page in pages:
        await page.socket.close()
