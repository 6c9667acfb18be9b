"""A gateway that speaks ABDM's protocol over HTTP: answers with 202, calls back, and misbehaves if asked.

It plays the patient's own app too: `grants` decides. Of a real one it knows sessions, the keys that its
callbacks are signed with, ABHA login, shared profiles, linking from both sides, consents and the forwarding
of requests for records; records never pass through it.
"""

import base64
import contextlib
import json
import threading
import time
import uuid
from collections import deque
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

ISSUER = "https://gateway.example"
PROFILE = {
    "ABHANumber": "91-1000-0000-0008",
    "preferredAbhaAddress": "asha@sbx",
    "gender": "F",
    "yearOfBirth": "1991",
}


class FakeGateway(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.site = ""
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[tuple[str, int]] = []
        self.linked: list[str] = []
        self.grants = True
        self.twice = self.overtakes = False
        self.away = 0  # so many calls are answered with 503
        self.slow = 0.0  # seconds before it answers
        self.refuses = False  # answers with 400
        self.session = "token"
        self.ids: list[tuple[str, str]] = []
        self.profile = dict(PROFILE)
        self.keys_asked = 0
        self.rotate()
        self._callbacks: deque[threading.Thread] = deque()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def environment(self) -> dict[str, str]:
        return {
            "ABDM_URL": self.url, "ABDM_CLIENT_ID": "id", "ABDM_CLIENT_SECRET": "secret",
            "ABDM_HIP_ID": "IN3210000017", "ABDM_TOKEN_CLAIMS": f"iss={ISSUER}",
        }  # fmt: skip

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = str(uuid.uuid4())

    def token(
        self, lasts: int = 300, key: Any = None, algorithm: str = "RS256", **claims: Any
    ) -> str:
        """As it signs its callbacks, `lasts` seconds from now on; or one that somebody else made."""
        expires = int(timezone.now().timestamp()) + lasts
        said = {"iss": ISSUER, "exp": expires, **claims}
        return jwt.encode(said, key or self.key, algorithm, headers={"kid": self.key_id})

    def published(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def call_back(self, kind: str, body: dict[str, Any], request_id: str = "") -> int:
        """One delivery of one callback; returns the status that it was answered with."""
        headers = {
            "Authorization": f"Bearer {self.token()}",
            "REQUEST-ID": request_id or str(uuid.uuid4()),
        }
        address = f"{self.site}/abdm/api/v3/{kind}"
        answer = httpx.post(address, json=body, headers=headers, timeout=120)
        self.answers.append((kind, answer.status_code))
        return answer.status_code

    def later(self, *calls: tuple[str, dict[str, Any]]) -> None:
        """In order, after our 202 has gone; each twice if so asked."""

        def run() -> None:
            for kind, body in calls:
                request_id = str(uuid.uuid4())
                for _delivery in range(2 if self.twice else 1):
                    self.call_back(kind, body, request_id)

        thread = threading.Thread(target=run, daemon=True)
        self._callbacks.append(thread)
        thread.start()

    def of(self, path: str) -> list[dict[str, Any]]:
        return [body for got, body in self.received if got.endswith(path)]

    # --- what the gateway does ------------------------------------------------------------------
    def act(self, path: str, body: dict[str, Any], request_id: str) -> Any:
        """What is answered at once; callbacks follow."""
        answered = {"response": {"requestId": request_id}}
        if path.endswith("/sessions"):
            return {"accessToken": self.session, "expiresIn": 600}
        if path.endswith("/login/request/otp"):
            self.open(body["loginId"])  # it must be sealed for us
            return {"txnId": str(uuid.uuid4())}
        if path.endswith("/login/verify"):
            right = self.open(body["authData"]["otp"]["otpValue"]) == "123456"
            return {"accounts": [self.profile] if right else []}
        if path.endswith("/generate-token"):
            self.later(("hip/token/on-generate-token", {"linkToken": "link-token", **answered}))
        elif path.endswith("/link/carecontext"):
            self.linked += [one["referenceNumber"] for one in body["patient"][0]["careContexts"]]
            self.later(("link/on_carecontext", {"status": "SUCCESS", **answered}))
        elif path.endswith("/consent/v3/request/init"):
            self.decide(body["consent"], answered)
        elif path.endswith("/consent/v3/fetch"):
            artefact = {"status": "GRANTED", "consentDetail": self.detail, "signature": "…"}
            self.later(("hiu/consent/on-fetch", {"consent": artefact, **answered}))
        elif path.endswith("/health-information/request"):
            self.forward(body["hiRequest"], answered)
        return None

    def open(self, sealed: str) -> str:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        return self.key.decrypt(base64.b64decode(sealed), oaep).decode()

    def decide(self, consent: dict[str, Any], answered: dict[str, Any]) -> None:
        """The patient looks at the request and decides."""
        request_id, artefact = str(uuid.uuid4()), str(uuid.uuid4())
        self.detail = {
            "consentId": artefact,
            "patient": consent["patient"],
            "hiTypes": consent["hiTypes"],
            "careContexts": [{"careContextReference": one} for one in self.linked],
            "permission": consent["permission"],
            "requester": consent["requester"],
            "purpose": consent["purpose"],
        }
        granted = "GRANTED" if self.grants else "DENIED"
        holder = {"consentId": artefact, "status": granted, "consentDetail": self.detail}
        asker = {
            "consentRequestId": request_id, "status": granted,
            "consentArtefacts": [{"id": artefact}] if self.grants else [],
        }  # fmt: skip
        calls = [
            ("hiu/consent/request/on-init", {"consentRequest": {"id": request_id}, **answered}),
            ("consent/request/hip/notify", {"notification": holder}),
            ("hiu/consent/request/notify", {"notification": asker}),
        ]
        if not self.grants:
            del calls[1]
        if self.overtakes:
            calls = [calls[2], calls[0], *calls[1:2]]
        self.later(*calls)

    def forward(self, asked: dict[str, Any], answered: dict[str, Any]) -> None:
        transaction = str(uuid.uuid4())
        known = {"transactionId": transaction, "sessionStatus": "REQUESTED"}
        self.later(
            ("hiu/health-information/on-request", {"hiRequest": known, **answered}),
            ("hip/health-information/request", {"transactionId": transaction, "hiRequest": asked}),
        )

    def revoke(self) -> None:
        """The patient has thought better of it."""
        artefact = self.detail["consentId"]
        self.call_back(
            "consent/request/hip/notify",
            {"notification": {"consentId": artefact, "status": "REVOKED"}},
        )
        self.call_back(
            "hiu/consent/request/notify",
            {
                "notification": {
                    "consentRequestId": "x", "status": "REVOKED",
                    "consentArtefacts": [{"id": artefact}],
                }
            },
        )  # fmt: skip

    def expires(self) -> str:
        return (timezone.now() + timedelta(hours=1)).isoformat()


class _Call(BaseHTTPRequestHandler):
    server: FakeGateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.away and not self.path.endswith("/sessions"):
            self.server.away -= 1
            self._answer(503, None)
            return
        self.server.received.append((self.path, body))
        if not self.path.endswith("/sessions"):
            self.server.ids.append((self.path, self.headers.get("REQUEST-ID", "")))
            time.sleep(self.server.slow)
            refused = 400 if self.server.refuses else 0
            if self.path.startswith("/api/hiecm") and self._is_stale():
                refused = 401
            if refused:
                self._answer(refused, {"code": "ABDM-1006", "message": "Bad Request"})
                return
        answer = self.server.act(self.path, body, self.headers.get("REQUEST-ID", ""))
        self._answer(202 if answer is None else 200, answer)

    def _is_stale(self) -> bool:
        return self.headers.get("Authorization") != f"Bearer {self.server.session}"

    def do_GET(self) -> None:
        if self._is_stale():
            self._answer(401, {"code": "900901", "message": "Invalid Credentials"})
            return
        if self.path.endswith("/v3/certs"):
            self.server.keys_asked += 1
            self._answer(200, self.server.published())
            return
        public = self.server.key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._answer(200, {"publicKey": base64.b64encode(der).decode()})

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode() if body is not None else b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass
