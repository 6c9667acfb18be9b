from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest


class PhoneBackend(ModelBackend):
    """Marks sessions opened by a one-time code; it authenticates nobody by itself."""

    def authenticate(self, request: HttpRequest | None, **credentials: object) -> None:  # type: ignore[override]
        return None
