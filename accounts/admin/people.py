from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest

from accounts import broadcast
from accounts.admin.base import AuditedReads, officer
from accounts.models import NoticeAcceptance, User
from accounts.phone import normalise
from esanjeevani.admin_site import ReadOnly, Secretive, Undeletable

POWERS = ["is_superuser", "groups", "user_permissions"]


class _NormalisedPhone(forms.ModelForm):
    """The mobile number as people type it; stored as one form of it."""

    def clean_phone(self) -> str:
        return normalise(self.cleaned_data["phone"])


class NewUserForm(_NormalisedPhone, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ["phone", "name", "language", "is_staff"]


class UserForm(_NormalisedPhone, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets say which


@admin.register(User)
class UserAdmin(Undeletable, Secretive, AuditedReads, DjangoUserAdmin):
    """Accounts are switched off, never deleted: what they did stays theirs."""

    secret_columns = ("password",)
    form = UserForm
    add_form = NewUserForm
    list_display = ["name", "phone", "is_staff", "is_superuser", "is_active", "created_at"]
    list_display_links = ["name", "phone"]
    list_filter = ["is_staff", "is_superuser", "is_active", "language", "groups"]
    search_fields = ["name", "phone"]
    ordering = ["-pk"]
    show_full_result_count = False
    readonly_fields = ["created_at"]
    fieldsets = [
        (None, {"fields": ["phone", "name", "language", "password"]}),
        ("What the account may do", {"fields": ["is_active", "is_staff", *POWERS]}),
        ("Dates", {"fields": ["created_at"]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "classes": ["wide"],
                "fields": [
                    "phone", "name", "language", "is_staff",
                    "usable_password", "password1", "password2",
                ],
                "description": "At the first sign-in the person pairs an authenticator app.",
            },
        )
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody gives powers away who does not hold all of them."""
        mine = officer(request).is_superuser
        return [*self.readonly_fields, *([] if mine else POWERS)]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not officer(request).is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and form.changed_data:
            broadcast.signed_out(obj)


@admin.register(NoticeAcceptance)
class NoticeAcceptanceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["user", "version", "language", "accepted_at", "address"]
    list_filter = ["version", "language"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__phone"]
    ordering = ["-pk"]
    show_full_result_count = False
