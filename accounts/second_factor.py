from typing import Any

from django_otp.middleware import OTPMiddleware

from accounts.session_store import device_of_session


class SecondFactor(OTPMiddleware):
    """Django-otp's middleware; the device that came with the session is not asked for again."""

    def _device_from_persistent_id(self, persistent_id: str) -> Any:
        """Whose it is and whether it was confirmed is looked at by the caller, as ever."""
        loaded = device_of_session.get()
        if loaded is not None and loaded.persistent_id == persistent_id:
            return loaded
        return super()._device_from_persistent_id(persistent_id)
