from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.db.models.fields import BLANK_CHOICE_DASH
from django.http import HttpRequest

from accounts import broadcast
from accounts.admin.area import InArea, NamesPeople
from accounts.admin.base import NamedAdmin, PlaceForm
from accounts.area import Area, area_of
from accounts.models import District, Facility, Post, State
from esanjeevani.admin_site import Undeletable


@admin.register(State)
class StateAdmin(Undeletable, InArea, NamedAdmin):
    """A state's nodal officer decides whether a general doctor is asked first; names are the directory's."""

    list_display = ["name", "other_names", "code", "is_union_territory", "general_first"]
    list_filter = ["is_union_territory", "general_first"]
    search_fields = ["name", "=code"]

    def in_area(self, area: Area) -> Q:
        return Q(pk__in=area.home_states)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if not area_of(request).everywhere:
            return ["code", "name", "names", "is_union_territory"]
        return ["code"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A district's officer sees the state and leaves it as it is."""
        area = area_of(request)
        theirs = obj is None or area.everywhere or obj.pk in area.states
        return theirs and super().has_change_permission(request, obj)


@admin.register(District)
class DistrictAdmin(Undeletable, InArea, NamedAdmin):
    list_display = ["name", "other_names", "code", "state"]
    list_filter = ["state"]
    list_select_related = ["state"]
    search_fields = ["name", "=code"]
    autocomplete_fields = ["state"]

    def in_area(self, area: Area) -> Q:
        return Q(pk__in=area.districts) | Q(state__in=area.states)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []


@admin.register(Facility)
class FacilityAdmin(InArea, NamedAdmin):
    form = PlaceForm
    list_display = ["name", "kind", "state", "district", "hfr_id", "phone"]
    list_filter = ["kind", "state"]
    list_select_related = ["state", "district"]
    search_fields = ["name", "=hfr_id", "district__name", "address"]
    autocomplete_fields = ["state", "district"]
    fieldsets = [
        (None, {"fields": ["name", "names", "kind", "hfr_id"]}),
        ("Where", {"fields": ["state", "district", "address", "phone"]}),
    ]

    def in_area(self, area: Area) -> Q:
        return area.places()

    def needed(self, area: Area) -> list[str]:
        return [] if area.states else ["district"]


@admin.register(Post)
class PostAdmin(Undeletable, NamesPeople, InArea):
    """A post is ended with a time, not deleted: who could do what, when, stays known.

    Officers give and end the posts of health workers and doctors; never those of officers.
    """

    GIVEN_BY_OFFICERS = (Post.Role.HEALTH_WORKER, Post.Role.DOCTOR)

    list_display = ["user", "role", "facility", "started_at", "ended_at"]
    list_filter = ["role", ("ended_at", admin.EmptyFieldListFilter), "facility__state"]
    list_select_related = ["user", "facility"]
    search_fields = ["user__name", "user__phone", "facility__name"]
    raw_id_fields = ["user"]
    autocomplete_fields = ["facility"]
    ordering = ["-pk"]

    def in_area(self, area: Area) -> Q:
        return area.places("facility__") & Q(role__in=self.GIVEN_BY_OFFICERS)

    def save_model(self, request: HttpRequest, obj: Post, form: Any, change: bool) -> None:
        """Whose post has ended has no page of it open any longer."""
        super().save_model(request, obj, form, change)
        broadcast.signed_out(obj.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user"] if obj and not area_of(request).everywhere else []

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "role" and not area_of(request).everywhere:
            kwargs["choices"] = [*BLANK_CHOICE_DASH] + [
                (role.value, role.label) for role in self.GIVEN_BY_OFFICERS
            ]
        return super().formfield_for_choice_field(db_field, request, **kwargs)
