"""One row, one sequence of bytes: keys sorted, no spaces, UTF-8, Unicode in NFC."""

import hashlib
import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

FORM = "prescription/1"


def canonical_form(
    *, number: str, check_id: str, issued_at: datetime, document: dict[str, Any]
) -> bytes:
    """What is signed: everything that is printed, with the number, the time and the check address."""
    whole = {
        "form": FORM,
        "number": number,
        "check_id": check_id,
        "issued_at": issued_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "document": document,
    }
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return unicodedata.normalize("NFC", text).encode()


def digest_of(canonical: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(canonical).hexdigest()
