from django.contrib import admin

from consult.admin.consultations import OfConsultation
from consult.models import Attachment, ChatMessage, Note


@admin.register(Note)
class NoteAdmin(OfConsultation):
    list_display = ["written_at", "patient", "is_provisional", "follow_up_on", "written_by"]
    list_filter = ["is_provisional"]
    list_select_related = ["consultation__patient", "written_by"]
    date_hierarchy = "written_at"


@admin.register(Attachment)
class AttachmentAdmin(OfConsultation):
    """That a file was sent, by whom and when. The file itself opens only in the consultation."""

    list_display = ["created_at", "patient", "kind", "size", "uploaded_by"]
    list_filter = ["kind"]
    list_select_related = ["consultation__patient", "uploaded_by"]
    date_hierarchy = "created_at"
    fields = ["uid", "consultation", "name", "kind", "size", "uploaded_by", "created_at"]


@admin.register(ChatMessage)
class ChatMessageAdmin(OfConsultation):
    list_display = ["created_at", "patient", "author", "has_text", "has_file"]
    list_select_related = ["consultation__patient", "author"]
    date_hierarchy = "created_at"

    @admin.display(description="Text", boolean=True)
    def has_text(self, message: ChatMessage) -> bool:
        return bool(message.text)

    @admin.display(description="File", boolean=True)
    def has_file(self, message: ChatMessage) -> bool:
        return message.attachment_id is not None
