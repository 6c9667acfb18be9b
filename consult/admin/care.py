"""What doctors wrote down around prescriptions: read-only, each look written down."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.actions import record
from accounts.admin.base import AuditedReads, officer
from accounts.models import Patient
from consult.admin.consultations import OfConsultation
from consult.models import (
    EmergencyReferral,
    FollowUpLink,
    InPersonVisit,
    MedicineSet,
    PaperPrescription,
    RefillRequest,
    SigningKey,
    WarningReason,
)
from esanjeevani.admin_site import ReadOnly, Undeletable


@admin.register(InPersonVisit)
class InPersonVisitAdmin(ReadOnly, AuditedReads):
    list_display = ["seen_on", "patient", "doctor", "condition", "place", "recorded_at"]
    list_select_related = ["patient", "doctor__user"]
    search_fields = ["patient__name", "patient__number", "doctor__user__name"]
    date_hierarchy = "seen_on"

    def patient_of(self, row: InPersonVisit) -> Patient:
        return row.patient


@admin.register(FollowUpLink)
class FollowUpLinkAdmin(OfConsultation):
    list_display = ["linked_at", "patient", "visit", "linked_by"]
    list_select_related = ["consultation__patient", "visit", "linked_by"]


@admin.register(PaperPrescription)
class PaperPrescriptionAdmin(OfConsultation):
    list_display = ["seen_at", "patient", "written_on", "seen_by"]
    list_select_related = ["consultation__patient", "seen_by"]


@admin.register(EmergencyReferral)
class EmergencyReferralAdmin(OfConsultation):
    list_display = ["declared_at", "patient", "refer_to", "told_at", "declared_by"]
    list_select_related = ["consultation__patient", "declared_by"]
    date_hierarchy = "declared_at"


@admin.register(RefillRequest)
class RefillRequestAdmin(ReadOnly, AuditedReads):
    list_display = ["requested_at", "patient", "doctor", "state"]
    list_filter = ["state"]
    list_select_related = ["prescription__consultation__patient", "doctor__user"]
    date_hierarchy = "requested_at"

    @admin.display(description="Patient")
    def patient(self, row: RefillRequest) -> str:
        return row.prescription.consultation.patient.name

    def patient_of(self, row: RefillRequest) -> Patient:
        return row.prescription.consultation.patient


@admin.register(WarningReason)
class WarningReasonAdmin(ReadOnly, AuditedReads):
    """Which warnings doctors override, and why: the committee learns from it."""

    list_display = ["at", "key", "reason", "by"]
    list_select_related = ["by"]
    search_fields = ["key", "reason"]
    date_hierarchy = "at"

    def patient_of(self, row: WarningReason) -> Patient:
        return row.prescription.consultation.patient


@admin.register(MedicineSet)
class MedicineSetAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["name", "doctor"]
    list_select_related = ["doctor__user"]
    search_fields = ["name", "doctor__user__name"]


@admin.register(SigningKey)
class SigningKeyAdmin(Undeletable, admin.ModelAdmin):
    """A key whose private half others may know is revoked: what it signs afterwards is not valid."""

    list_display = ["key_id", "public_key", "first_used_at", "revoked_at"]
    readonly_fields = ["key_id", "public_key", "first_used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SigningKey, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record("signingkey.change", obj, by=officer(request))
