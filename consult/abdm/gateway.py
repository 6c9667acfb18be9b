"""The one place that speaks to the gateway: its addresses, headers and session."""

import base64
import time
import uuid
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from consult.abdm.outside import NotOutside, NotThere, pinned
from esanjeevani.strict_json import read_json

TIMEOUT = httpx.Timeout(10, connect=5)
SESSION = "abdm-session"
LONGEST = 30  # seconds for a whole answer, however it drips
MOST = 4_000_000  # bytes of an answer: an ABHA profile brings its photo
PLAIN = {"Accept-Encoding": "identity"}  # nothing packed: a small answer stays small


class GatewayAway(Exception):
    """It did not answer, or not as it should. Tried again later."""


class GatewayRefused(Exception):
    """It said no: trying again says the same."""


def is_on() -> bool:
    return bool(settings.ABDM["url"] and settings.ABDM["client_id"])


def post(path: str, body: dict[str, Any], *, request_id: str = "", **headers: str) -> Any:
    """Raises GatewayAway, GatewayRefused. The answer's JSON; None for a bare 202."""
    return _send(_address(path), body, _standard(request_id) | headers)


def get(path: str) -> Any:
    """Raises as post(). The answer's JSON."""
    return _send(_address(path), None, _standard())


def _address(path: str) -> str:
    """ABHA numbers are verified at a server of its own. Raises GatewayRefused for what is no path."""
    if not path.startswith("/"):  # it would go on with the name of the host
        raise GatewayRefused("That is no path at the gateway.")
    return f"{settings.ABDM['abha_url' if path.startswith('/abha/') else 'url']}{path}"


def _standard(request_id: str = "") -> dict[str, str]:
    """The headers that every call of version 3 carries."""
    return {
        "Authorization": f"Bearer {_session()}",
        "REQUEST-ID": request_id or str(uuid.uuid4()),
        "TIMESTAMP": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "X-CM-ID": settings.ABDM["cm_id"],
        "X-HIP-ID": settings.ABDM["hip_id"],
        "X-HIU-ID": settings.ABDM["hip_id"],
    }


def push(url: str, body: dict[str, Any]) -> None:
    """Encrypted records, to the address that the asker named. Raises as post().

    Nothing of ours goes along, and what is answered is of no interest.
    """
    try:
        there = pinned(url) if settings.SECURE else {"url": url, "headers": {}}
    except NotOutside as error:
        raise GatewayRefused(str(error)) from None
    except NotThere as error:
        raise GatewayAway(str(error)) from None
    _answer_to("POST", json=body, **there)


def _send(url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
    method = "GET" if body is None else "POST"
    content = _answer_to(method, url, headers, json=body)
    try:
        return read_json(content) if content else None
    except ValueError:
        raise GatewayAway(f"No JSON at {url}") from None


def _answer_to(method: str, url: str, headers: dict[str, str], **more: Any) -> bytes:
    try:
        with (
            httpx.Client(timeout=TIMEOUT) as client,
            client.stream(method, url, headers={**headers, **PLAIN}, **more) as answer,
        ):
            content = _read(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GatewayAway(f"{type(error).__name__} at {url}") from None
    if answer.status_code == 401 and "Authorization" in headers:  # not where records are pushed
        cache.delete(SESSION)
    if answer.status_code >= 500 or answer.status_code in (401, 408, 429):
        raise GatewayAway(f"{answer.status_code} at {url}")
    if answer.status_code >= 400:
        raise GatewayRefused(f"{answer.status_code}: {content[:150].decode(errors='replace')}")
    return content


def _read(answer: httpx.Response) -> bytes:
    """The answer as it comes, unpacked by nobody. Raises GatewayAway when it is too long, or too slow."""
    content, ends = b"", time.monotonic() + LONGEST
    for part in answer.iter_raw():
        content += part
        if len(content) > MOST or time.monotonic() > ends:
            raise GatewayAway(f"An answer without end at {answer.url.host}")
    return content


def _session() -> str:
    """The access token, kept until shortly before it ends."""
    token = cache.get(SESSION)
    if token is None:
        answer = _send(
            f"{settings.ABDM['url']}/api/hiecm/gateway/v3/sessions",
            {
                "clientId": settings.ABDM["client_id"],
                "clientSecret": settings.ABDM["client_secret"],
                "grantType": "client_credentials",
            },
            {"REQUEST-ID": str(uuid.uuid4()), "X-CM-ID": settings.ABDM["cm_id"]},
        )
        try:
            token, lasts = str(answer["accessToken"]), int(answer["expiresIn"])
        except (KeyError, TypeError, ValueError):
            raise GatewayAway("The session has no token.") from None
        cache.set(SESSION, token, max(1, lasts - 60))
    return str(token)


def hidden(text: str) -> str:
    """For the ABHA service alone: RSA-OAEP under its public key, as it asks for numbers and codes."""
    answer = get("/abha/api/v3/profile/public/certificate")
    try:
        pem = f"-----BEGIN PUBLIC KEY-----\n{answer['publicKey']}\n-----END PUBLIC KEY-----"
        key = load_pem_public_key(pem.encode())
    except (KeyError, TypeError, ValueError) as error:
        raise GatewayAway(str(error)) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise GatewayAway("The certificate holds no RSA key.")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - as ABDM says
    return base64.b64encode(key.encrypt(text.encode(), oaep)).decode()
