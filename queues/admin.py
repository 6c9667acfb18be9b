from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Field, Q, QuerySet
from django.http import HttpRequest

from accounts.actions import record
from accounts.admin.area import ChoosesInArea, InArea
from accounts.admin.base import AuditedReads, NamedAdmin, PlaceForm, officer
from accounts.area import Area
from accounts.models import Doctor, Patient
from esanjeevani.admin_site import ReadOnly, Undeletable
from queues.actions import end_duty
from queues.models import (
    Clinic,
    ClinicDay,
    ClinicHours,
    Duty,
    HubLink,
    KeptApart,
    Presence,
    Token,
)


class HoursInline(admin.TabularInline):
    model = ClinicHours
    extra = 0


class HubLinkInline(ChoosesInArea, admin.TabularInline):
    model = HubLink
    extra = 0
    autocomplete_fields = ["spoke"]
    verbose_name = "spoke"
    verbose_name_plural = "Spokes that may bring patients"

    def in_area(self, area: Area) -> Q:
        return area.places("spoke__")


class ClinicForm(PlaceForm):
    """A hub's clinic is where its facility is."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        facility, state = cleaned.get("facility"), cleaned.get("state")
        if facility and state and facility.state_id != state.pk:
            self.add_error("facility", ValidationError(f"This facility is not in {state}."))
        return cleaned


@admin.register(Clinic)
class ClinicAdmin(Undeletable, InArea, NamedAdmin):
    form = ClinicForm
    list_display = [
        "name", "speciality", "is_open_now", "doctors_on_duty", "for_opd", "is_active", "state",
        "facility",
    ]  # fmt: skip
    list_filter = ["is_active", "takes_opd", "state", "speciality", "serves"]
    list_select_related = ["state", "speciality", "facility"]
    search_fields = ["name", "facility__name", "district__name", "speciality__name"]
    autocomplete_fields = ["state", "district", "facility", "speciality"]
    inlines = [HoursInline, HubLinkInline]
    fieldsets = [
        (None, {"fields": ["name", "names", "speciality", "is_active", "takes_opd"]}),
        ("Where", {"fields": ["state", "district", "facility"]}),
        ("For whom", {"fields": ["serves", ("min_age", "max_age")]}),
        ("How many", {"fields": ["daily_limit", "waiting_limit"]}),
        ("How long", {"fields": ["call_window", "usual_minutes", "near_ahead"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Clinic]:
        on_duty = Count("duties__doctor", distinct=True, filter=Q(duties__ended_at=None))
        clinics = super().get_queryset(request).prefetch_related("hours")
        return clinics.annotate(on_duty=on_duty)

    def in_area(self, area: Area) -> Q:
        return area.clinics()

    def choosable(self, area: Area, field: Field) -> Q:
        """A spoke is linked to the hubs of its state, in whatever district they are."""
        if field.model is HubLink:
            return Q(state__in=area.home_states)
        return self.in_area(area)

    def needed(self, area: Area) -> list[str]:
        return [] if area.states else ["district"]

    @admin.display(description="Open now", boolean=True)
    def is_open_now(self, clinic: Clinic) -> bool:
        return clinic.is_open()

    @admin.display(description="OPD", boolean=True, ordering="takes_opd")
    def for_opd(self, clinic: Clinic) -> bool:
        return clinic.takes_opd

    @admin.display(description="On duty", ordering="on_duty")
    def doctors_on_duty(self, clinic: Any) -> int:
        return int(clinic.on_duty)


@admin.register(HubLink)
class HubLinkAdmin(InArea):
    """Which health centre may ask which clinic; the officer of the health centre's area says so."""

    list_display = ["spoke", "clinic", "priority", "valid_from", "valid_until"]
    list_filter = ["clinic__state", "clinic__speciality"]
    list_select_related = ["spoke", "clinic"]
    search_fields = ["spoke__name", "clinic__name"]
    autocomplete_fields = ["spoke", "clinic"]
    ordering = ["spoke__name", "priority"]

    def in_area(self, area: Area) -> Q:
        return area.places("spoke__")


@admin.register(ClinicDay)
class ClinicDayAdmin(ReadOnly, InArea):
    list_display = ["day", "clinic", "last_number"]
    list_filter = ["clinic__state"]
    list_select_related = ["clinic"]
    search_fields = ["clinic__name"]
    date_hierarchy = "day"
    ordering = ["-day", "clinic__name"]

    def in_area(self, area: Area) -> Q:
        return area.clinics("clinic__")


@admin.register(Duty)
class DutyAdmin(ReadOnly, InArea):
    """Doctors go on duty themselves; somebody who forgot to end it is taken off here."""

    list_display = ["doctor", "clinic", "started_at", "paused_at", "ended_at"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "clinic__state"]
    list_select_related = ["doctor__user", "clinic"]
    search_fields = ["doctor__user__name", "doctor__registration_number", "clinic__name"]
    date_hierarchy = "started_at"
    ordering = ["-pk"]
    actions = ["end"]

    def in_area(self, area: Area) -> Q:
        return area.clinics("clinic__")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queue.change_duty")

    @admin.action(description="End duty of these doctors, in all clinics", permissions=["end"])
    def end(self, request: HttpRequest, duties: QuerySet[Duty]) -> None:
        open_duties = duties.filter(ended_at=None)
        doctors = list(Doctor.objects.filter(duties__in=open_duties).distinct())
        for doctor in doctors:
            end_duty(doctor=doctor)
            record("duty.end", f"doctor:{doctor.pk}", by=officer(request))
        self.message_user(request, f"Taken off duty: {len(doctors)}.", messages.SUCCESS)


@admin.register(Token)
class TokenAdmin(ReadOnly, InArea, AuditedReads):
    list_display = [
        "day", "clinic", "number", "state", "priority", "patient", "doctor", "issued_at",
    ]  # fmt: skip
    list_display_links = ["number"]
    list_filter = ["state", "priority", "clinic__state"]
    list_select_related = ["clinic", "patient", "doctor__user"]
    search_fields = ["clinic__name", "patient__name", "patient__number", "=number"]
    date_hierarchy = "day"
    ordering = ["-pk"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["uid", "clinic", "day", "number", "patient", "priority"]}),
        (
            "Where it stands",
            {"fields": ["state", "doctor", "passes", "yields", "comes_first", "moved_to"]},
        ),
        ("When", {"fields": ["issued_at", "told_at", "called_at", "answered_at", "ended_at"]}),
    ]

    def patient_of(self, row: Token) -> Patient:
        return row.patient

    def in_area(self, area: Area) -> Q:
        return area.clinics("clinic__")


@admin.register(Presence)
class PresenceAdmin(ReadOnly, InArea):
    list_display = ["token", "clinic", "until"]
    list_select_related = ["token__clinic"]
    search_fields = ["token__clinic__name"]
    ordering = ["-until"]

    def in_area(self, area: Area) -> Q:
        return area.clinics("token__clinic__")

    @admin.display(description="Clinic")
    def clinic(self, presence: Presence) -> str:
        return str(presence.token.clinic)


@admin.register(KeptApart)
class KeptApartAdmin(ReadOnly, AuditedReads):
    """Who is never matched again; why stands in the report (consult)."""

    list_display = ["since_at", "doctor", "patient"]
    list_select_related = ["doctor__user", "patient"]
    search_fields = ["doctor__user__name", "patient__name", "patient__number"]
    date_hierarchy = "since_at"
    ordering = ["-pk"]

    def patient_of(self, row: KeptApart) -> Patient:
        return row.patient
