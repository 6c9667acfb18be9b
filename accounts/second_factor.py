from functools import partial
from typing import Any

from django.contrib.auth.middleware import get_user
from django.utils.functional import SimpleLazyObject
from django_otp.middleware import OTPMiddleware

from accounts.session_store import device_of_session


class SecondFactor(OTPMiddleware):
    """Django-otp's middleware; the device that came with the session is not asked for again."""

    def _install_lazy_accessors(self, request: Any) -> None:
        """One lazy object in place of Django's, not one around it: pages ask it for much."""
        request.user = SimpleLazyObject(partial(self._who, request))

    def _who(self, request: Any) -> Any:
        return self._verify_user_sync(request, get_user(request))

    def _device_from_persistent_id(self, persistent_id: str) -> Any:
        """Whose it is and whether it was confirmed is looked at by the caller, as ever."""
        loaded = device_of_session.get()
        if loaded is not None and loaded.persistent_id == persistent_id:
            return loaded
        return super()._device_from_persistent_id(persistent_id)
