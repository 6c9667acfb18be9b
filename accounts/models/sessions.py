from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class AccountSession(AbstractBaseSession):
    """One browser's session. It names its account and its second factor: all are read in one statement."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    # Which device was checked when it was opened; whether that is still there, the row itself must say.
    device = models.ForeignKey(
        "otp_totp.TOTPDevice",
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "session"

    @classmethod
    def get_session_store_class(cls) -> type:
        raise NotImplementedError("accounts.session_store imports this model, not the other way.")
