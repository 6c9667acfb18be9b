"""Codes, and hashes of them that a copy of the database alone cannot undo."""

import hmac
import secrets

from django.conf import settings


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def keyed_hash(*parts: str) -> str:
    """HMAC-SHA256 with the deployment's pepper, as 64 hexadecimal digits."""
    message = "\x00".join(parts).encode()
    return hmac.digest(settings.CODE_PEPPER.encode(), message, "sha256").hex()
