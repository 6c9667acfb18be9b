from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.admin.area import InArea
from accounts.admin.base import AuditedReads
from accounts.area import Area
from accounts.models import Patient
from consult.models import Consent, Consultation
from esanjeevani.admin_site import ReadOnly

BELONGING = {
    "consent": "consent", "observation": "vital signs", "instruction": "instructions",
    "opinion": "opinions", "note": "note", "attachment": "files", "chatmessage": "chat",
    "prescription": "prescriptions", "referral": "referrals", "followup": "follow-up",
    "feedback": "feedback", "callevent": "call", "callleg": "what flowed",
    "abusereport": "reports",
}  # fmt: skip


def consultations_of(area: Area, prefix: str = "") -> Q:
    """Asked for at a health centre of the area, or in one of its clinics."""
    return area.places(f"{prefix}facility__") | area.clinics(f"{prefix}clinic__")


class OfConsultation(ReadOnly, InArea, AuditedReads):
    """Rows that belong to a consultation: found by its patient, read under audit, never changed."""

    to_consultation = "consultation__"
    list_select_related = ["consultation__patient"]
    search_fields = [
        "consultation__uid", "consultation__patient__name", "consultation__patient__number",
    ]  # fmt: skip
    search_help_text = "Consultation id or the patient's name or number"
    ordering = ["-pk"]
    show_full_result_count = False

    @admin.display(description="Patient", ordering="consultation__patient__name")
    def patient(self, row: Any) -> str:
        return row.consultation.patient.name

    def patient_of(self, row: Any) -> Patient:
        return row.consultation.patient

    def in_area(self, area: Area) -> Q:
        return consultations_of(area, self.to_consultation)


@admin.register(Consultation)
class ConsultationAdmin(ReadOnly, InArea, AuditedReads):
    list_display = [
        "created_at", "patient", "facility", "clinic", "doctor", "state", "end_reason", "ended_at",
    ]  # fmt: skip
    list_filter = [
        "state", "end_reason", "is_written", "is_emergency",
        ("facility", admin.EmptyFieldListFilter), "clinic__state", "clinic__speciality",
    ]  # fmt: skip
    list_select_related = ["patient", "facility", "clinic", "doctor__user"]
    search_fields = [
        "uid", "patient__name", "patient__number", "doctor__user__name", "clinic__name",
        "facility__name",
    ]  # fmt: skip
    search_help_text = "Consultation id, patient's name or number, doctor, clinic or health centre"
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["uid", "patient", "clinic", "token", "doctor", "is_written"]}),
        (
            "At the health centre",
            {"fields": ["facility", "requested_by", "attested_at", "attested_by", "chosen_because"]},
        ),
        ("What is wrong", {"fields": ["complaint", "since", "examination", "impression"]}),
        ("Before", {"fields": ["history", "family_history", "allergies", "medicines", "lmp"]}),
        ("Goes first", {"fields": ["is_emergency", "is_pregnant", "is_disabled"]}),
        (
            "How it went",
            {
                "fields": [
                    "state", "end_reason", "end_words", "suggested_clinic", "completeness",
                    "revision", "belonging",
                ]
            },
        ),
        ("Before and after it", {"fields": ["continues", "follow_up_of"]}),
        (
            "The call",
            {
                "fields": [
                    "mode", "video_seconds", "sound_seconds", "may_phone", "phone_centre",
                    "let_in_at", "let_in_by",
                ]
            },
        ),
        ("When", {"fields": ["created_at", "requested_at", "started_at", "ended_at"]}),
    ]  # fmt: skip

    @admin.display(description="Belongs to it")
    def belonging(self, consultation: Consultation) -> SafeString:
        rows = [
            (reverse(f"admin:consult_{model}_changelist"), consultation.pk, word)
            for model, word in BELONGING.items()
        ]
        return format_html_join(" · ", '<a href="{}?consultation={}">{}</a>', rows)

    def patient_of(self, row: Consultation) -> Patient:
        return row.patient

    def in_area(self, area: Area) -> Q:
        return consultations_of(area)


@admin.register(Consent)
class ConsentAdmin(OfConsultation):
    list_display = ["given_at", "patient", "version", "language", "how", "given_by"]
    list_filter = ["how", "language", "version"]
    list_select_related = ["consultation__patient", "given_by"]
