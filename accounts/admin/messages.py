from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.admin.base import AuditedReads, short
from accounts.models import Message, SmsTemplate
from accounts.seeding import slots_of, sms_slots
from esanjeevani.admin_site import ReadOnly, Secretive, Undeletable


class SmsTemplateForm(forms.ModelForm):
    """A text that can be filled: a slot nobody fills would stop the booking that sends it."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        key = self.instance.key or cleaned.get("key")
        text = cleaned.get("text")
        if key and text:
            self._check_slots(key, text)
        return cleaned

    def _check_slots(self, key: str, text: str) -> None:
        try:
            allowed = sms_slots(key)
        except KeyError:
            self.add_error("key", ValidationError("No message with this key is ever sent."))
            return
        try:
            strange = slots_of(text) - allowed
            text.format(**dict.fromkeys(allowed, ""))
        except (ValueError, KeyError, IndexError, AttributeError):
            strange = {"{"}
        if strange:
            slots = ", ".join(f"{{{slot}}}" for slot in sorted(allowed))
            self.add_error("text", ValidationError(f"Braces only around these words: {slots}."))


@admin.register(SmsTemplate)
class SmsTemplateAdmin(Undeletable, admin.ModelAdmin):
    """The texts as they are registered with the telecom operators (DLT)."""

    form = SmsTemplateForm
    list_display = ["key", "language", "shortened", "header", "dlt_id"]
    list_display_links = ["key", "language"]
    list_filter = ["language", "key", ("dlt_id", admin.EmptyFieldListFilter)]
    search_fields = ["key", "text", "dlt_id"]
    ordering = ["key", "language"]

    @admin.display(description="Text")
    def shortened(self, template: SmsTemplate) -> str:
        return short(template.text)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key", "language"] if obj else []


@admin.register(Message)
class MessageAdmin(ReadOnly, Secretive, AuditedReads):
    """The SMS outbox. A code that was sent is never shown, searched or filtered by."""

    secret_columns = ("text",)
    list_display = ["created_at", "to", "template", "state", "attempts", "sent_at"]
    list_filter = ["state", "template__key", "is_secret"]
    list_select_related = ["template"]
    search_fields = ["to"]
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["to", "template", "shown_text", "is_secret"]}),
        ("Sending", {"fields": ["state", "attempts", "error", "sent_at"]}),
        ("Times", {"fields": ["created_at", "due_at", "claimed_at"]}),
    ]

    @admin.display(description="Text")
    def shown_text(self, message: Message) -> str:
        return "(a code, not shown)" if message.is_secret else message.text
