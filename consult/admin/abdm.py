"""What passed between here and the national gateway: who, when and whether, never what was in it."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.base import officer
from consult.models import AbdmConsent, AbdmMessage, CareContext, LinkRequest, SharedProfile
from esanjeevani.admin_site import ReadOnly, Secretive


class ForSuperusers(Secretive, ReadOnly, admin.ModelAdmin):
    """It names patients of every area."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(officer(request).is_superuser)

    has_module_permission = has_view_permission


@admin.register(AbdmConsent)
class AbdmConsentAdmin(ForSuperusers):
    list_display = ["uid", "role", "state", "created_at", "expires_at"]
    list_filter = ["role", "state"]
    fields = [
        "uid",
        "role",
        "state",
        "requester",
        "purpose",
        "hi_types",
        "from_at",
        "to_at",
        "created_at",
        "expires_at",
    ]


@admin.register(AbdmMessage)
class AbdmMessageAdmin(ForSuperusers):
    secret_columns = ("body",)
    list_display = ["kind", "direction", "created_at", "done_at", "tries", "error"]
    list_filter = ["direction", "kind"]
    fields = [
        "kind",
        "direction",
        "request_id",
        "created_at",
        "due_at",
        "done_at",
        "tries",
        "error",
    ]


@admin.register(CareContext)
class CareContextAdmin(ForSuperusers):
    list_display = ["consultation_id", "linked_at"]
    fields = ["linked_at"]


@admin.register(LinkRequest)
class LinkRequestAdmin(ForSuperusers):
    secret_columns = ("code_hash",)
    list_display = ["uid", "created_at", "sent_at", "tries", "confirmed_at"]
    fields = ["uid", "created_at", "sent_at", "tries", "confirmed_at"]


@admin.register(SharedProfile)
class SharedProfileAdmin(ForSuperusers):
    list_display = ["day", "facility", "number", "created_at", "taken_at", "taken_by"]
    list_select_related = ["facility", "taken_by"]
    fields = ["day", "facility", "number", "counter", "created_at", "taken_at", "taken_by"]
