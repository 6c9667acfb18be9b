"""A program that uses the API: a phone app, a portal, the software of a clinic."""

import json

from django.test import Client

from accounts.actions.keys import issue_token
from accounts.models import User

ASHA = {
    "name": "Asha Menon", "sex": "female", "age": 34, "address": "12 Canal Road", "state": 32,
}  # fmt: skip


class Program:
    """A phone app, signed in or not."""

    def __init__(self, user: User | None = None, *, staff: bool = False) -> None:
        self.client = Client()
        self.headers: dict[str, str] = {}
        if user:
            _token, key = issue_token(user=user, device="phone", has_second_factor=staff)
            self.headers["Authorization"] = f"Bearer {key}"

    def ask(self, method: str, path: str, data: object = None, **headers: str):
        body = {} if data is None else {"data": json.dumps(data)}
        return getattr(self.client, method)(
            f"/api/v1/{path}",
            **body,
            content_type="application/json",
            headers=self.headers
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def get(self, path: str, **headers: str):
        return self.ask("get", path, **headers)

    def post(self, path: str, data: object = None, **headers: str):
        return self.ask("post", path, data, **headers)

    def put(self, path: str, data: object):
        return self.ask("put", path, data)
