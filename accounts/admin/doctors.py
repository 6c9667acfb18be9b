from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.actions import record, verify_doctor
from accounts.admin.area import InArea, NamesPeople
from accounts.admin.base import NamedAdmin, officer
from accounts.area import Area, area_of
from accounts.models import Doctor, Speciality
from esanjeevani.admin_site import Undeletable

# What the verification was about: when one of these changes it has to be done again.
REGISTRATION = {"user", "qualification", "registration_number", "council"}


@admin.register(Speciality)
class SpecialityAdmin(NamedAdmin):
    """For whom a speciality is plausible: a case for anybody else is not sent there."""

    list_display = ["name", "other_names", "code", "is_general", "serves", "min_age", "max_age"]
    list_filter = ["is_general", "serves"]
    search_fields = ["name", "code"]
    fieldsets = [
        (None, {"fields": ["name", "names", "code", "is_general"]}),
        ("For whom", {"fields": ["serves", ("min_age", "max_age")]}),
    ]
    prepopulated_fields = {"code": ["name"]}


@admin.register(Doctor)
class DoctorAdmin(Undeletable, NamesPeople, InArea):
    list_display = [
        "name", "speciality", "registration_number", "council", "facility", "is_verified",
        "verified_at",
    ]  # fmt: skip
    list_filter = [("verified_at", admin.EmptyFieldListFilter), "speciality", "facility__state"]
    search_fields = ["user__name", "user__phone", "registration_number", "council"]
    ordering = ["user__name"]
    raw_id_fields = ["user"]
    autocomplete_fields = ["speciality", "facility"]
    readonly_fields = ["verified_at", "verified_by"]
    actions = ["verify"]
    fieldsets = [
        (None, {"fields": ["user", "speciality", "facility", "contact"]}),
        ("Registration", {"fields": ["qualification", "registration_number", "council"]}),
        ("Verified", {"fields": ["verified_at", "verified_by"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Doctor]:
        """Joined here, not in list_select_related, because choices elsewhere name doctors too."""
        return super().get_queryset(request).select_related("user", "speciality", "facility")

    def in_area(self, area: Area) -> Q:
        return area.places("facility__")

    def needed(self, area: Area) -> list[str]:
        return ["facility"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        stays = ["user"] if obj and not area_of(request).everywhere else []
        return [*self.readonly_fields, *stays]

    @admin.display(description="Name", ordering="user__name")
    def name(self, doctor: Doctor) -> str:
        return doctor.user.name

    @admin.display(description="Verified", boolean=True)
    def is_verified(self, doctor: Doctor) -> bool:
        return doctor.is_verified

    def has_verify_permission(self, request: HttpRequest) -> bool:
        """A right of its own: who types a registration in need not be who confirms it."""
        return request.user.has_perm("accounts.verify_doctor")

    @admin.action(description="Verify registration", permissions=["verify"])
    def verify(self, request: HttpRequest, doctors: QuerySet[Doctor]) -> None:
        """Nobody confirms their own registration."""
        waiting = list(doctors.filter(verified_at=None).exclude(user=officer(request)))
        for doctor in waiting:
            verify_doctor(doctor=doctor, by=officer(request))
            self.log_change(request, doctor, "Verified the registration.")
        self.message_user(request, f"Verified: {len(waiting)}.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Doctor, form: Any, change: bool) -> None:
        """A changed registration is no longer a verified one (TPG 2020, 3.2)."""
        if change and obj.verified_at and REGISTRATION & set(form.changed_data):
            obj.verified_at = obj.verified_by = None
            record("doctor.unverify", obj, by=officer(request))
            self.message_user(
                request,
                "The registration was changed: verify it again before the doctor goes on duty.",
                messages.WARNING,
            )
        super().save_model(request, obj, form, change)
