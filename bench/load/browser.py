"""One person's browser: cookies, forms with their CSRF key, redirects, sockets. Loopback only."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import lxml.html
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from bench.load.ledger import Ledger

TIMEOUT = 30.0  # seconds
MOST_CONNECTIONS = 400
FINAL = {4401, 4404, 4408}
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds, as static/js/live.js tries again
AGENT = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Mobile Safari/537.36"


class NotLoopback(Exception):
    """The driver loads this machine and no other."""


class Refused(Exception):
    """An answer that somebody who does everything right never gets."""


def loopback(url: str) -> str:
    """Raises NotLoopback."""
    if urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise NotLoopback(url)
    return url.rstrip("/")


@dataclass
class Network:
    """What all people of a run share: the two doors of the site, connections, the ledger."""

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


@dataclass
class Page:
    """One answer."""

    path: str
    status: int
    text: str
    _tree: Any = None

    @property
    def tree(self) -> Any:
        if self._tree is None:
            self._tree = lxml.html.document_fromstring(self.text or "<html></html>")
        return self._tree

    def find(self, attribute: str) -> Any:
        """The first element that carries the attribute, None when there is none."""
        found = self.tree.xpath(f"//*[@{attribute}]")
        return found[0] if found else None

    def form(self, action: str) -> dict[str, str]:
        """What the form whose action ends so would send, untouched. "": the page's own form."""
        for form in self.tree.forms:
            if form.method == "POST" and (form.action or self.path).endswith(action or self.path):
                sent = {name: value or "" for name, value in form.form_values()}
                # lxml takes a choice whose value is empty for one that has none.
                empty = form.xpath(".//input[@type='radio' and @checked and @value='']/@name")
                sent |= dict.fromkeys(map(str, empty), "")
                return {name: value for name, value in sent.items() if "__prefix__" not in name}
        raise Refused(f"{self.path} has no form for {action!r}")

    @property
    def refusal(self) -> str:
        """What a page that refuses says, as far as it is marked as an error."""
        marked = "//*[contains(@class, 'error') or contains(@class, 'errorlist')]"
        words = [" ".join(one.text_content().split()) for one in self.tree.xpath(marked)]
        return " | ".join(words)[:400] or " ".join(self.text.split())[:200]

    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def csrf(self) -> str:
        (field, *_others) = self.tree.xpath("//input[@name='csrfmiddlewaretoken']")
        return str(field.get("value"))


class Browser:
    """Asks as one person; every answer's time goes to the ledger under the step's name."""

    def __init__(self, network: Network) -> None:
        self.network, self.ledger = network, network.ledger
        self.cookies: dict[str, str] = {}
        self.address = network.an_address()
        self.page = Page("/", 200, "")

    def headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {
            "Host": urlsplit(self.network.origin).netloc,
            "User-Agent": AGENT,
            "Accept": "text/html",
            "Accept-Language": "en-IN,en;q=0.9,hi;q=0.8",
            "Accept-Encoding": "gzip, deflate",
            "X-Forwarded-For": self.address,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        } | (more or {})

    async def get(self, step: str, path: str, *, allow: tuple[int, ...] = (200,)) -> Page:
        """A page that one goes to. Raises Refused, aiohttp.ClientError, TimeoutError."""
        self.page = await self.ask(step, "GET", path, allow=allow)
        return self.page

    async def part(self, step: str, path: str) -> Page:
        """A part that a script fetches."""
        return await self.ask(step, "GET", path, headers={"X-Requested-With": "fetch"})

    async def submit(self, step: str, form: dict[str, str], path: str, then: str = "") -> Page:
        """Send a form; the page it leads to is the step `then`."""
        origin = {"Origin": self.network.origin}
        self.page = await self.ask(step, "POST", path, data=form, headers=origin, then=then)
        return self.page

    async def in_place(self, step: str, form: dict[str, str], path: str) -> Page:
        """Send a form by a script, which puts what comes back into the page."""
        headers = {"Origin": self.network.origin, "X-Requested-With": "fetch"}
        return await self.ask(step, "POST", path, data=form, headers=headers)

    async def post(
        self, step: str, path: str, *, form: Any = None, said: Any = None, csrf: str = ""
    ) -> Page:
        """What a script sends: a form or JSON, answered without a page."""
        headers = {"Origin": self.network.origin, "Accept": "application/json"}
        if csrf:
            headers["X-CSRFToken"] = csrf
        return await self.ask(
            step, "POST", path, data=form, said=said, headers=headers, allow=(200, 201, 202, 204)
        )

    async def ask(
        self,
        step: str,
        method: str,
        path: str,
        *,
        data: Any = None,
        said: Any = None,
        headers: dict[str, str] | None = None,
        then: str = "",
        allow: tuple[int, ...] = (200,),
    ) -> Page:
        """One request, and the one that its redirect leads to."""
        status, target, text = await self._answer(step, method, path, data, said, headers)
        if status in (301, 302, 303):
            return await self.ask(then or f"{step}: then", "GET", target, allow=allow)
        if status not in allow:
            self.ledger.error(f"{step}: {status}", f"{path} {Page(path, status, text).refusal}")
            raise Refused(f"{method} {path}: {status}")
        return Page(path, status, text)

    async def _answer(
        self, step: str, method: str, path: str, data: Any, said: Any, headers: Any
    ) -> tuple[int, str, str]:
        """Status, where it leads, and what it says; whoever has patience tries again when it is away."""
        give_up_at = time.monotonic() + self.network.patience
        while True:
            try:
                status, target, text = await self._once(step, method, path, data, said, headers)
                if status < 500:
                    return status, target, text
                trouble = str(status)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                trouble = type(error).__name__
            self.ledger.error(f"{step}: {trouble}", path)
            if time.monotonic() > give_up_at:
                raise Refused(f"{method} {path}: {trouble}")
            await asyncio.sleep(1 + random.random())

    async def _once(
        self, step: str, method: str, path: str, data: Any, said: Any, headers: Any
    ) -> tuple[int, str, str]:
        asked = time.monotonic()
        async with self.network.session.request(
            method,
            f"{self.network.pages}{path}",
            data=data,
            json=said,
            headers=self.headers(headers),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            self._keep_cookies(answer.headers.getall("Set-Cookie", []))
        self.ledger.steps[step].append(time.monotonic() - asked)
        self.ledger.counts["requests"] += 1
        target = answer.headers.get("Location", "").removeprefix(self.network.origin)
        is_text = answer.content_type.startswith(("text/", "application/json"))
        return answer.status, target, body.decode(errors="replace") if is_text else ""

    def _keep_cookies(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


Hear = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Socket:
    """One open page's socket: hears, says, and comes back as static/js/live.js does."""

    browser: Browser
    path: str
    hear: Hear
    lost: Callable[[], None] = lambda: None
    hurry: float = 1.0  # in compressed time one tries again that much sooner
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    wire: Any = None

    async def run(self) -> None:
        tries = 0
        while True:
            asked = time.monotonic()
            try:
                async with connect(
                    f"{self.browser.network.sockets.replace('http', 'ws', 1)}{self.path}",
                    origin=self.browser.network.origin,
                    additional_headers={
                        "Cookie": self.browser.headers()["Cookie"],
                        "X-Forwarded-For": self.browser.address,
                    },
                    proxy=None,
                    open_timeout=TIMEOUT,
                ) as self.wire:
                    async for text in self.wire:
                        self.browser.ledger.counts["messages"] += 1
                        message = json.loads(text)
                        if message["type"] == "hello":
                            tries = 0
                            if not self.greeted.is_set():
                                self.browser.ledger.steps["socket: hello"].append(
                                    time.monotonic() - asked
                                )
                            self.greeted.set()
                        await self.hear(message)
                    code = self.wire.close_code
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 0
            except (OSError, WebSocketException, TimeoutError) as error:
                code = 0
                self.browser.ledger.error("socket", f"{self.path} {type(error).__name__} {error}")
            if code in FINAL:
                self.refused(code)
                return
            self.browser.ledger.counts["socket lost"] += 1
            self.lost()
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**tries) / self.hurry
            tries += 1
            await asyncio.sleep(random.random() * longest)

    def refused(self, code: int) -> None:
        """It is not opened again."""
        self.browser.ledger.error(f"socket closed with {code}", self.path)

    async def say(self, **message: Any) -> None:
        """Lost when the socket is away, as everything that goes up it."""
        with contextlib.suppress(WebSocketException, OSError, AttributeError):
            await self.wire.send(json.dumps(message))
            self.browser.ledger.counts["messages up"] += 1


@contextlib.asynccontextmanager
async def listening(*sockets: Socket) -> AsyncIterator[None]:
    """The sockets of one open page; leaving the page closes them."""
    tasks = [asyncio.create_task(socket.run()) for socket in sockets]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Refreshing:
    """A part that a page fetches anew when it hears of a change: one at a time, and once more after."""

    def __init__(self, fetch: Callable[[], Awaitable[None]], ledger: Ledger) -> None:
        self.fetch, self.ledger = fetch, ledger
        self.task: asyncio.Task[None] | None = None
        self.again = False

    def ask(self) -> None:
        if self.task and not self.task.done():
            self.again = True
            return
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self.again = False
            try:
                await self.fetch()
            except Refused:
                await asyncio.sleep(3)
                self.again = True
            if not self.again:
                return

    def stop(self) -> None:
        if self.task:
            self.task.cancel()
