"""How a session was opened: by password (staff, then a second factor) or by a code (patients)."""

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.session_store import account_of_session


class PasswordBackend(ModelBackend):
    """Django's own; the account that came with the session is not asked for again."""

    def get_user(self, user_id: int) -> User | None:
        loaded = account_of_session.get()
        if loaded is not None and loaded.pk == user_id:
            return loaded if self.user_can_authenticate(loaded) else None
        found: User | None = super().get_user(user_id)
        return found


class PhoneBackend(PasswordBackend):
    """Marks sessions opened by a one-time code; it authenticates nobody by itself."""

    def authenticate(self, request: HttpRequest | None, **credentials: object) -> None:  # type: ignore[override]
        return None
