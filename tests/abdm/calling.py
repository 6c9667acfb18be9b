"""Callbacks one by one, without a server: sent as the gateway sends them, and worked on at once."""

import json
import uuid
from typing import Any

from django.test import Client

from consult.abdm.work import work_on
from consult.models import AbdmMessage
from tests.abdm.fake_gateway import ISSUER, FakeGateway


def joined(gateway: FakeGateway) -> dict[str, Any]:
    """The settings of a service that has joined this gateway."""
    return {
        "url": gateway.url, "abha_url": gateway.url, "client_id": "id", "client_secret": "secret",
        "cm_id": "sbx", "hip_id": "IN3210000017", "token_claims": {"iss": ISSUER},
        "share_url": "https://phrsbx.abdm.gov.in/share-profile",
    }  # fmt: skip


class Calls:
    """`calls(kind, body)` delivers; `calls.worked(...)` also does what it asks for."""

    def __init__(self, gateway: FakeGateway) -> None:
        self.gateway = gateway

    def __call__(
        self, kind: str, body: object, token: str | None = None, request_id: str = ""
    ) -> Any:
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {"REQUEST-ID": request_id or str(uuid.uuid4())}
        if kind != "data":
            sent["Authorization"] = f"Bearer {self.gateway.token() if token is None else token}"
        address = "/abdm/data" if kind == "data" else f"/abdm/api/v3/{kind}"
        return Client().post(address, text, content_type="application/json", headers=sent)

    def worked(self, kind: str, body: object, answer: str, request_id: str = "") -> dict[str, Any]:
        """What we answer to the gateway, in a message of kind `answer`."""
        assert self(kind, body, request_id=request_id).status_code == 202
        assert work_on(AbdmMessage.objects.filter(direction="in").latest("pk").pk)
        said: dict[str, Any] = AbdmMessage.objects.filter(kind=answer).latest("pk").body["body"]
        return said
