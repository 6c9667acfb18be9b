from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import broadcast
from accounts.admin.area import InArea
from accounts.admin.base import AuditedReads, officer
from accounts.admin.places import PostAdmin
from accounts.area import Area, area_of
from accounts.models import Doctor, NoticeAcceptance, Post, User
from accounts.phone import normalise
from esanjeevani.admin_site import ReadOnly, Secretive, Undeletable

POWERS = ["is_staff", "is_superuser", "groups", "user_permissions"]


def is_adding(request: HttpRequest) -> bool:
    """Django lets nobody add an account who may not change every one: it could be a superuser's.

    Here powers are no field of an officer's form, so that adding is a right of its own.
    """
    match = request.resolver_match
    return match is not None and match.url_name == "accounts_user_add"


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
class UserAdmin(Undeletable, Secretive, InArea, AuditedReads, DjangoUserAdmin):
    """Accounts are switched off, never deleted: what they did stays theirs.

    Officers add accounts for the people of their area, and see those. An account that may open the
    admin is changed by superusers only: who sets its password could be its owner.
    """

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
        ("What the account may do", {"fields": ["is_active", *POWERS]}),
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
        if obj is None and is_adding(request):
            return self.has_add_permission(request)
        powerful = obj is not None and (obj.is_superuser or obj.is_staff)
        if powerful and not officer(request).is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def in_area(self, area: Area) -> Q:
        """Who has or had a post there, other than an officer's, or is one of its doctors."""
        posts = Post.objects.filter(area.places("facility__"))
        staff = posts.filter(role__in=PostAdmin.GIVEN_BY_OFFICERS).values("user")
        doctors = Doctor.objects.filter(area.places("facility__")).values("user")
        return Q(pk__in=staff) | Q(pk__in=doctors)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """An officer's new account lies in no area yet: the next step is to give it a post."""
        if area_of(request).everywhere:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"The account of {obj.name} is there. Now give it a post.")
        return redirect(f"{reverse('admin:accounts_post_add')}?{urlencode({'user': obj.phone})}")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.save()  # in no area before it has a post
            return
        super().save_model(request, obj, form, change)
        if form.changed_data:
            broadcast.signed_out(obj)


@admin.register(NoticeAcceptance)
class NoticeAcceptanceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["user", "version", "language", "accepted_at", "address"]
    list_filter = ["version", "language"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__phone"]
    ordering = ["-pk"]
    show_full_result_count = False
