from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions import record
from accounts.admin.base import AuditedReads, officer, short
from consult.admin.consultations import OfConsultation
from consult.models import Feedback, Grievance
from esanjeevani.admin_site import Undeletable


@admin.register(Feedback)
class FeedbackAdmin(OfConsultation):
    list_display = ["given_at", "stars", "shortened", "doctor", "clinic"]
    list_filter = ["stars", "consultation__clinic__state"]
    list_select_related = ["consultation__doctor__user", "consultation__clinic"]
    date_hierarchy = "given_at"

    @admin.display(description="Words")
    def shortened(self, feedback: Feedback) -> str:
        return short(feedback.words)

    @admin.display(description="Doctor")
    def doctor(self, feedback: Feedback) -> str:
        return str(feedback.consultation.doctor or "")

    @admin.display(description="Clinic")
    def clinic(self, feedback: Feedback) -> str:
        return str(feedback.consultation.clinic)


class GrievanceForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        answered = cleaned.get("state") == Grievance.State.ANSWERED
        if answered and not cleaned.get("answer", "").strip():
            self.add_error("answer", ValidationError("Write the answer that was given."))
        return cleaned


@admin.register(Grievance)
class GrievanceAdmin(Undeletable, AuditedReads):
    """Complaints are answered here; their words stay as they were written."""

    form = GrievanceForm
    list_display = ["number", "about", "shortened", "state", "created_at", "answered_at"]
    list_filter = ["state", "about"]
    search_fields = ["number", "words", "phone"]
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    readonly_fields = ["number", "about", "words", "phone", "by", "created_at", "answered_at"]
    fieldsets = [
        (None, {"fields": ["number", "about", "words", "created_at"]}),
        ("Who", {"fields": ["phone", "by"]}),
        ("Answer", {"fields": ["state", "answer", "answered_at"]}),
    ]

    @admin.display(description="What happened")
    def shortened(self, grievance: Grievance) -> str:
        return short(grievance.words)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People complain on the page made for it."""
        return False

    def save_model(self, request: HttpRequest, obj: Grievance, form: Any, change: bool) -> None:
        if obj.state != Grievance.State.ANSWERED:
            obj.answered_at = None
        elif obj.answered_at is None or "answer" in form.changed_data:
            obj.answered_at = timezone.now()
        super().save_model(request, obj, form, change)
        record("grievance.answer", f"grievance:{obj.number}", by=officer(request))
