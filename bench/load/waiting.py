"""The waiting room: the page turns when a doctor calls, and the visit is followed to its end."""

import asyncio
from typing import Any

from bench.load.browser import Browser
from bench.load.open_page import Socket
from bench.load.page import Page
from bench.load.parameters import Parameters

STAYS = 900.0  # seconds of the run that anybody waits


class WaitingRoom:
    """One patient's socket, on the patient's own page or the health worker's."""

    def __init__(self, browser: Browser, uid: str, page: Page, plan: Parameters) -> None:
        self.browser, self.ledger, self.uid = browser, browser.ledger, uid
        self.token = "waiting"
        self.turned = asyncio.Event()
        self.places: list[int] = []
        self.socket = Socket(
            browser, f"/ws/consultations/{uid}/", self._hear, self._lost, hurry=plan.compression
        )
        number = page.tree.xpath("string(//*[contains(@class, 'token-number')])").strip()
        if number:
            self.ledger.number(uid, _clinic(page), number)

    def _lost(self) -> None:
        self.ledger.told[self.uid].was_away = True

    async def _hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "place":
            self.places.append(message["ahead"])
            return
        token = message.get("token") if kind == "hello" else message.get("state")
        if kind in ("hello", "token") and token == "called":
            self.ledger.rings(self.uid)
            self.turned.set()
        elif kind in ("hello", "state") and message["state"] != "requested":
            self.turned.set()

    async def called(self) -> bool:
        try:
            await asyncio.wait_for(self.turned.wait(), STAYS)
        except TimeoutError:
            self.ledger.error("waited too long", self.uid)
            return False
        return True


def _clinic(page: Page) -> str:
    """Its name, from the line that says whose page it is."""
    for line in page.tree.xpath("//main//p"):
        for part in line.text_content().split("·"):
            if part.strip().startswith("OPD "):  # as bench.rows names them
                return part.strip()
    return ""
