from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_otp.plugins.otp_totp import admin as plugin_admin
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions import record
from accounts.admin.base import officer
from accounts.models import PhoneDevice
from esanjeevani.admin_site import ReadOnly, Secretive

# The plugin's own page shows everybody's secret.
plugin_admin.admin.site.unregister(TOTPDevice)


@admin.register(TOTPDevice)
class TotpDeviceAdmin(Secretive, admin.ModelAdmin):
    """The second factors of staff. Delete one that was lost: the next sign-in pairs a new one.

    The secret can be written when a device is added, and is never shown again.
    """

    secret_columns = ("key",)
    list_display = ["user", "name", "confirmed", "created_at", "last_used_at"]
    list_filter = ["confirmed"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__phone"]
    ordering = ["-pk"]
    raw_id_fields = ["user"]
    readonly_fields = ["created_at", "last_used_at", "throttling_failure_count"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["user", "name", "confirmed", *(self.readonly_fields if obj else ["key"])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields, "user"] if obj else self.readonly_fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may write a secret down could sign in as its owner: superusers only."""
        return bool(officer(request).is_superuser)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # one by one, so that each is audited

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        verb = "change" if change else "add"
        record(f"second_factor.{verb}", f"user:{obj.user_id}", by=officer(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        record("second_factor.remove", f"user:{obj.user_id}", by=officer(request))


def _may_touch(request: HttpRequest, device: TOTPDevice | None) -> bool:
    """A superuser's second factor is a superuser's affair."""
    return device is None or not device.user.is_superuser or bool(officer(request).is_superuser)


@admin.register(PhoneDevice)
class PhoneDeviceAdmin(ReadOnly, Secretive, admin.ModelAdmin):
    """To see why somebody cannot sign in; neither code nor hash is shown."""

    secret_columns = ("code_hash",)
    list_display = ["phone", "user", "sent_at", "tries", "next_try_at", "locked_until"]
    list_filter = [("locked_until", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["phone", "user__name"]
    ordering = ["-pk"]
    show_full_result_count = False
    fields = ["phone", "user", "sent_at", "tries", "next_try_at", "locked_until"]
