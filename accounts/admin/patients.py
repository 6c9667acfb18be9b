from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from accounts.actions import update_patient
from accounts.admin.area import InArea
from accounts.admin.base import AuditedReads, officer
from accounts.area import Area
from accounts.forms import PatientForm
from accounts.models import Enrolment, Patient
from esanjeevani.admin_site import ReadOnly, Undeletable


@admin.register(Patient)
class PatientAdmin(Undeletable, InArea, AuditedReads):
    """Mistakes in a patient's particulars are mended here, by the rules of the patient's page."""

    form = PatientForm
    list_display = ["name", "spaced_number", "age", "sex", "state", "district", "created_at"]
    list_filter = ["sex", "state", "language"]
    list_select_related = ["state", "district"]
    search_fields = ["name", "number", "account__phone", "=abha_number"]
    search_help_text = "Name, patient number without spaces, mobile number or ABHA number"
    ordering = ["-pk"]
    show_full_result_count = False
    readonly_fields = [
        "spaced_number",
        "account",
        "masked_abha",
        "birth_date_is_exact",
        "created_at",
    ]
    fieldsets = [
        (None, {"fields": ["spaced_number", "name", "sex", "birth_date", "age"]}),
        ("Adult, for a patient under 18", {"fields": ["guardian_name", "guardian_relation"]}),
        ("Where", {"fields": ["address", "state", "district", "language"]}),
        ("Account", {"fields": ["account", "abha_number", "birth_date_is_exact", "created_at"]}),
    ]

    @admin.display(description="Number", ordering="number")
    def spaced_number(self, patient: Patient) -> str:
        return patient.spaced_number

    @admin.display(description="ABHA number")
    def masked_abha(self, patient: Patient) -> str:
        return patient.masked_abha

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not change an ABHA number has no need to read it whole."""
        sets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return sets
        masked = {"abha_number": "masked_abha"}
        return [
            (title, {**shown, "fields": [masked.get(str(one), one) for one in shown["fields"]]})
            for title, shown in sets
        ]

    def patient_of(self, row: Patient) -> Patient:
        return row

    def in_area(self, area: Area) -> Q:
        return area.places()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Patients are registered by themselves or by a health worker, on the pages made for it."""
        return False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if not self.has_change_permission(request, obj):
            kwargs["form"] = forms.ModelForm  # ours wants all of its fields to be there
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        update_patient(patient=obj, by=officer(request))


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnly, InArea, AuditedReads):
    """Which health centre has had which patient before it: from then on its workers see the case."""

    list_display = ["enrolled_at", "patient", "facility", "enrolled_by"]
    list_select_related = ["patient", "facility", "enrolled_by"]
    search_fields = ["patient__name", "patient__number", "facility__name"]
    search_help_text = "Patient's name or number, or health centre"
    date_hierarchy = "enrolled_at"
    ordering = ["-pk"]
    show_full_result_count = False

    def patient_of(self, row: Enrolment) -> Patient:
        return row.patient

    def in_area(self, area: Area) -> Q:
        return area.places("facility__")
