"""One person's browser: cookies, forms with their CSRF key, redirects."""

import asyncio
import random
import time
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bench.load.network import Network
from bench.load.page import Page, Refused

AGENT = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Mobile Safari/537.36"


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
