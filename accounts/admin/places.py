from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.base import NamedAdmin
from accounts.models import District, Facility, Post, State
from esanjeevani.admin_site import Undeletable


@admin.register(State)
class StateAdmin(Undeletable, NamedAdmin):
    list_display = ["name", "other_names", "code", "is_union_territory"]
    list_filter = ["is_union_territory"]
    search_fields = ["name", "=code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []


@admin.register(District)
class DistrictAdmin(Undeletable, NamedAdmin):
    list_display = ["name", "other_names", "code", "state"]
    list_filter = ["state"]
    list_select_related = ["state"]
    search_fields = ["name", "=code"]
    autocomplete_fields = ["state"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []


@admin.register(Facility)
class FacilityAdmin(NamedAdmin):
    list_display = ["name", "kind", "state", "district", "hfr_id", "phone"]
    list_filter = ["kind", "state"]
    list_select_related = ["state", "district"]
    search_fields = ["name", "=hfr_id", "district__name", "address"]
    autocomplete_fields = ["state", "district"]
    fieldsets = [
        (None, {"fields": ["name", "names", "kind", "hfr_id"]}),
        ("Where", {"fields": ["state", "district", "address", "phone"]}),
    ]


@admin.register(Post)
class PostAdmin(Undeletable, admin.ModelAdmin):
    """A post is ended with a time, not deleted: who could do what, when, stays known."""

    list_display = ["user", "role", "facility", "started_at", "ended_at"]
    list_filter = ["role", ("ended_at", admin.EmptyFieldListFilter), "facility__state"]
    list_select_related = ["user", "facility"]
    search_fields = ["user__name", "user__phone", "facility__name"]
    raw_id_fields = ["user"]
    autocomplete_fields = ["facility"]
    ordering = ["-pk"]
