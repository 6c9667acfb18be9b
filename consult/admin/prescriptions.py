import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consult.admin.consultations import OfConsultation
from consult.models import Prescription, PrescriptionLine
from consult.signing import is_authentic
from esanjeevani.admin_site import ReadOnly


class LineInline(ReadOnly, admin.TabularInline):
    model = PrescriptionLine
    extra = 0


@admin.register(Prescription)
class PrescriptionAdmin(OfConsultation):
    """An issued prescription never changes; not by an officer either."""

    list_display = ["number", "version", "state", "patient", "issued_by", "issued_at", "has_pdf"]
    list_display_links = ["number", "version"]
    list_filter = ["state"]
    list_select_related = ["consultation__patient", "issued_by__user"]
    search_fields = ["number", "=check_code", *OfConsultation.search_fields]
    search_help_text = "Prescription number, check code, consultation id, patient's name or number"
    date_hierarchy = "issued_at"
    inlines = [LineInline]
    fieldsets = [
        (None, {"fields": ["number", "version", "state", "consultation"]}),
        ("Issued", {"fields": ["issued_at", "issued_by", "spaced_code", "has_pdf"]}),
        ("Signed", {"fields": ["key_id", "digest", "signature", "is_authentic"]}),
        ("As it was printed", {"classes": ["collapse"], "fields": ["printed"]}),
    ]

    @admin.display(description="Check code")
    def spaced_code(self, prescription: Prescription) -> str:
        return prescription.spaced_code

    @admin.display(description="PDF", boolean=True)
    def has_pdf(self, prescription: Prescription) -> bool:
        return bool(prescription.pdf)

    @admin.display(description="Is what was signed", boolean=True)
    def is_authentic(self, prescription: Prescription) -> bool:
        return is_authentic(prescription)

    @admin.display(description="Document")
    def printed(self, prescription: Prescription) -> SafeString:
        text = json.dumps(prescription.document, ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)
