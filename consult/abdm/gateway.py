"""The one place that speaks to the gateway: its addresses, headers and session."""

import base64
import uuid
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

TIMEOUT = httpx.Timeout(10, connect=5)
SESSION = "abdm-session"


class GatewayAway(Exception):
    """It did not answer, or not as it should. Tried again later."""


class GatewayRefused(Exception):
    """It said no: trying again says the same."""


def is_on() -> bool:
    return bool(settings.ABDM["url"] and settings.ABDM["client_id"])


def post(path: str, body: dict[str, Any], *, request_id: str = "", **headers: str) -> Any:
    """Raises GatewayAway, GatewayRefused. The answer's JSON; None for a bare 202."""
    return _send(
        f"{settings.ABDM['url']}{path}",
        body,
        {
            "Authorization": f"Bearer {_session()}",
            "REQUEST-ID": request_id or str(uuid.uuid4()),
            "TIMESTAMP": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "X-CM-ID": settings.ABDM["cm_id"],
            "X-HIP-ID": settings.ABDM["hip_id"],
            "X-HIU-ID": settings.ABDM["hip_id"],
            **headers,
        },
    )


def push(url: str, body: dict[str, Any]) -> None:
    """Encrypted records, to the address that the asker named. Raises as post()."""
    if settings.SECURE and not url.startswith("https://"):
        raise GatewayRefused("The address for the records is not https.")
    _send(url, body, {})


def _send(url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    try:
        answer = httpx.post(url, json=body, headers=headers, timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GatewayAway(f"{type(error).__name__} at {url}") from None
    if answer.status_code == 401:
        cache.delete(SESSION)
    if answer.status_code >= 500 or answer.status_code in (401, 408, 429):
        raise GatewayAway(f"{answer.status_code} at {url}")
    if answer.status_code >= 400:
        raise GatewayRefused(f"{answer.status_code}: {answer.text[:150]}")
    try:
        return answer.json() if answer.content else None
    except ValueError:
        raise GatewayAway(f"No JSON at {url}") from None


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
    try:
        answer = httpx.get(
            f"{settings.ABDM['url']}/abha/api/v3/profile/public/certificate",
            headers={"Authorization": f"Bearer {_session()}"},
            timeout=TIMEOUT,
        )
        body = answer.json()["publicKey"]
        pem = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----".encode()
        key = load_pem_public_key(pem)
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        raise GatewayAway(str(error)) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise GatewayAway("The certificate holds no RSA key.")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - as ABDM says
    return base64.b64encode(key.encrypt(text.encode(), oaep)).decode()
