from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models.places import Facility


class UserManager(BaseUserManager["User"]):
    def create_user(self, phone: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(phone=phone, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, phone: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(phone, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """One person who signs in, by mobile number; staff also by password and TOTP."""

    phone = models.CharField(_("mobile number"), max_length=16, unique=True)  # E.164
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    is_staff = models.BooleanField(default=False, help_text="May open the admin.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    last_login = None  # who signed in when stands in the audit events

    # The health centres of their open posts, where the session brought them (accounts/session_store.py).
    centres: "list[Facility] | None" = None

    objects = UserManager()

    if TYPE_CHECKING:  # django-otp's middleware gives it to whoever is signed in

        def is_verified(self) -> bool: ...

    USERNAME_FIELD = "phone"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name or self.masked_phone

    @property
    def masked_phone(self) -> str:
        return f"{self.phone[:3]} ··· ··{self.phone[-3:]}"


class NoticeAcceptance(models.Model):
    """One acceptance of one version of the privacy notice (DPDP Act 2023, section 5)."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="acceptances")
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=8)
    accepted_at = models.DateTimeField(default=timezone.now)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "version"], name="accounts_noticeacceptance_once_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.language})"
