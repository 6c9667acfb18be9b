"""Who calls back: the gateway signs every callback with a token (JWT, RS256) of its published keys.

Source: ABDM, "Get Gateway JWKS Certificates" (`/api/hiecm/gateway/v3/certs`), which wants the session's
token and the standard headers too.
"""

import logging
from typing import Any

import jwt
from django.conf import settings
from django.core.cache import cache

from consult.abdm import gateway

log = logging.getLogger(__name__)

KEYS = "abdm-keys"
KEYS_FOR = 24 * 3600  # seconds
ASKED = "abdm-keys-asked"
ASK_EVERY = 60  # seconds: a stranger's token makes us ask for new keys no more often
SKEW = 60  # seconds that two clocks may differ


class Forged(Exception):
    """Not the gateway's: unsigned, of another key, run out, or of another member of the network."""


def check_token(token: str) -> None:
    """Raises Forged; GatewayAway and GatewayRefused while its keys cannot be had."""
    try:
        key = _key(str(jwt.get_unverified_header(token).get("kid") or ""))
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            leeway=SKEW,
            options={"require": ["exp"], "verify_aud": False},
        )
    except jwt.PyJWTError as error:
        raise Forged(str(error)) from None
    # The session token of every member is signed by the same keys: what tells the gateway's own
    # from theirs is in the claims, and each gateway says what it is (ABDM_TOKEN_CLAIMS).
    for name, wanted in settings.ABDM["token_claims"].items():
        found = claims.get(name)
        if wanted not in (found if isinstance(found, list) else [found]):
            log.warning("A signed token says of %s %r, and not %r", name, str(found)[:80], wanted)
            raise Forged(f"The claim {name} is another one.")


def _key(key_id: str) -> jwt.PyJWK:
    """By its id; an unknown one may be the gateway's next key. Raises Forged."""
    known = _keys_in(cache.get(KEYS))
    if key_id not in known and cache.add(ASKED, True, ASK_EVERY):
        try:
            published = gateway.get("/api/hiecm/gateway/v3/certs")
        except (gateway.GatewayAway, gateway.GatewayRefused):
            cache.delete(ASKED)
            raise
        cache.set(KEYS, published, KEYS_FOR)
        known = _keys_in(published)
    if key_id not in known:
        raise Forged("An unknown key.")
    return known[key_id]


def _keys_in(published: Any) -> dict[str, jwt.PyJWK]:
    """The usable ones of a key set; whatever else it holds is passed over."""
    keys = published.get("keys") if isinstance(published, dict) else None
    rows = [row for row in keys if isinstance(row, dict)] if isinstance(keys, list) else []
    found = {}
    for row in rows:
        if row.get("kty") == "RSA" and row.get("kid"):
            try:
                found[str(row["kid"])] = jwt.PyJWK(row, algorithm="RS256")
            except jwt.PyJWTError:
                continue
    return found
