"""What all people of a run share. Loopback only."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from bench.load.ledger import Ledger

TIMEOUT = 30.0  # seconds
MOST_CONNECTIONS = 400


class NotLoopback(Exception):
    """The driver loads this machine and no other."""


def loopback(url: str) -> str:
    """Raises NotLoopback."""
    if urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise NotLoopback(url)
    return url.rstrip("/")


@dataclass
class Network:
    """The two doors of the site, connections, the ledger."""

    pages: str  # where pages are asked
    sockets: str  # where /ws/ is
    origin: str  # SITE_URL
    ledger: Ledger
    session: aiohttp.ClientSession
    patience: float = 0.0  # seconds for which one tries again when the site is away
    people: int = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, *, pages: str, sockets: str, origin: str, ledger: Ledger, patience: float = 0.0
    ) -> AsyncIterator["Network"]:
        connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=15)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            auto_decompress=True,
        ) as session:
            yield cls(loopback(pages), loopback(sockets), origin, ledger, session, patience)

    def an_address(self) -> str:
        """Each person has an address of their own, as the proxy would say."""
        self.people += 1
        return f"10.{self.people >> 16 & 255}.{self.people >> 8 & 255}.{self.people & 255}"
