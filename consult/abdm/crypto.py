"""Health information is encrypted from holder to asker; the gateway sees none of it.

ECDH on Curve25519 in Weierstrass form, HKDF-SHA256 over the two nonces, AES-256-GCM, as ABDM's
"Health Information Encryption" says and its reference Fidelius does.
"""

import base64
import json
import os
from typing import Any

import abdm_ecdh
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts.secrets import keyed_hash

CURVE = "Curve25519"


class NotReadable(Exception):
    """Wrong key, wrong nonce, or changed on the way."""


def new_keys() -> dict[str, str]:
    """For one transfer: private, public (as X.509) and nonce, in base64."""
    made = abdm_ecdh.generate_key_material()
    return {"private": made.private_key, "public": made.x509_public_key, "nonce": made.nonce}


def key_material(keys: dict[str, str], expires: str) -> dict[str, Any]:
    """Our public half, as it is sent."""
    return {
        "cryptoAlg": "ECDH",
        "curve": CURVE,
        "dhPublicKey": {
            "expiry": expires,
            "parameters": "Curve25519/32byte random key",
            "keyValue": keys["public"],
        },
        "nonce": keys["nonce"],
    }


def encrypt(text: str, *, ours: dict[str, str], theirs: dict[str, Any]) -> str:
    """Raises NotReadable when their key material is none."""
    try:
        return abdm_ecdh.encrypt(
            string_to_encrypt=text,
            sender_nonce=ours["nonce"],
            requester_nonce=theirs["nonce"],
            sender_private_key=ours["private"],
            requester_public_key=theirs["dhPublicKey"]["keyValue"],
        ).encrypted_data
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NotReadable(str(error)) from None


def decrypt(sealed: str, *, ours: dict[str, str], theirs: dict[str, Any]) -> str:
    """Raises NotReadable."""
    try:
        return abdm_ecdh.decrypt(
            encrypted_data=sealed,
            sender_nonce=theirs["nonce"],
            requester_nonce=ours["nonce"],
            requester_private_key=ours["private"],
            sender_public_key=theirs["dhPublicKey"]["keyValue"],
        ).decrypted_data
    except (AttributeError, InvalidTag, LookupError, TypeError, ValueError) as error:
        raise NotReadable(str(error) or "The tag does not fit.") from None


def lock_away(keys: dict[str, str]) -> str:
    """Our private half while we wait, not to be read from a copy of the database."""
    nonce = os.urandom(12)
    sealed = _cipher().encrypt(nonce, json.dumps(keys).encode(), None)
    return base64.b64encode(nonce + sealed).decode()


def take_out(locked: str) -> dict[str, str]:
    sealed = base64.b64decode(locked)
    opened: dict[str, str] = json.loads(_cipher().decrypt(sealed[:12], sealed[12:], None))
    return opened


def _cipher() -> AESGCM:
    return AESGCM(bytes.fromhex(keyed_hash("abdm transfer keys")))
