"""Short addresses for SMS. A link names a consultation; it opens nothing without signing in."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from django.conf import settings

from consult.models import Consultation


class ShortId:
    """Path converter: a UUID in 22 letters."""

    regex = "[A-Za-z0-9_-]{22}"

    def to_python(self, value: str) -> UUID:
        return UUID(bytes=urlsafe_b64decode(value + "=="))

    def to_url(self, value: UUID) -> str:
        return urlsafe_b64encode(value.bytes).decode().rstrip("=")


def sms_link(consultation: Consultation) -> str:
    return f"{settings.SITE_URL}/r/{ShortId().to_url(consultation.uid)}"
