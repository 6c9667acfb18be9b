"""What tells one POST with an Idempotency-Key from another."""

import hashlib
import json
from typing import Any

from rest_framework.request import Request

from accounts.actions.answers import LONGEST, SHORTEST, Once

IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENCY_HEADER = "HTTP_IDEMPOTENCY_KEY"  # as WSGI calls it


def once_of(request: Request) -> Once | None:
    """None without a key, or with one that is none. Reads the body: raises RequestDataTooBig, ParseError."""
    key = key_of(request)
    if not SHORTEST <= len(key) <= LONGEST:
        return None
    return Once(key, _fingerprint(request))


def key_of(request: Request) -> str:
    return str(request.META.get(IDEMPOTENCY_HEADER, "")) if request.method == "POST" else ""


def is_multipart(request: Request) -> bool:
    return str(request.content_type).startswith("multipart/")


def _fingerprint(request: Request) -> str:
    """Method, address and content."""
    parts = [str(request.method), request.get_full_path()]
    if not is_multipart(request):
        return "\n".join([*parts, hashlib.sha256(request._request.body).hexdigest()])
    typed: Any = request.data
    files = request.FILES
    parts += [json.dumps({k: str(v) for k, v in typed.items() if k not in files})]
    for name, file in sorted(files.items()):
        parts += [name, hashlib.sha256(b"".join(file.chunks())).hexdigest()]
        file.seek(0)
    return "\n".join(parts)
