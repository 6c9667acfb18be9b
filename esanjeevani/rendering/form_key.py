"""The key that each form carries against forged requests: Django's, masked in a few calls instead of 500.

The secret of the cookie is added to a mask, character by character, so that no two pages hold the same
text and a compressed page gives nothing away. Django takes it off again.
"""

import secrets

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, get_token

SUM = {
    (one, other): CSRF_ALLOWED_CHARS[(at + by) % len(CSRF_ALLOWED_CHARS)]
    for at, one in enumerate(CSRF_ALLOWED_CHARS)
    for by, other in enumerate(CSRF_ALLOWED_CHARS)
}
# Of the 256 bytes as many as the characters go into without rest: each is as likely as any other.
FAIR = 256 - 256 % len(CSRF_ALLOWED_CHARS)
CHARACTERS = (CSRF_ALLOWED_CHARS * 5)[:256].encode()
UNFAIR = bytes(range(FAIR, 256))


def form_key(request: HttpRequest) -> str:
    """As django.middleware.csrf.get_token(), which also makes the secret where there is none.

    That has the cookie sent with every form, so that its year begins anew. Whoever is signed in was sent
    it when signing in, and has no session for that long.
    """
    secret = request.META.get("CSRF_COOKIE")
    if secret is None:
        return get_token(request)
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True
    mask = _a_mask()
    return mask + "".join(map(SUM.__getitem__, zip(secret, mask, strict=True)))


def _a_mask() -> str:
    mask = b""
    while len(mask) < CSRF_SECRET_LENGTH:
        mask += secrets.token_bytes(2 * CSRF_SECRET_LENGTH).translate(CHARACTERS, UNFAIR)
    return mask[:CSRF_SECRET_LENGTH].decode()
