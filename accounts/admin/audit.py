from django.contrib import admin
from django.contrib.admin.models import LogEntry

from accounts.models import AuditEvent, RateLimit
from esanjeevani.admin_site import ReadOnly


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):
    """Who read or wrote what of whom. Reading the log leaves no further line in it."""

    list_display = ["at", "by", "action", "target", "patient", "address", "refused"]
    list_filter = ["refused", "at"]
    list_select_related = ["by", "patient"]
    search_fields = ["action", "target", "=by__phone", "=patient__number", "=address"]
    search_help_text = "Action, kind of row, mobile number, patient number or network address"
    date_hierarchy = "at"
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, admin.ModelAdmin):
    """What was changed in this admin."""

    list_display = ["action_time", "user", "content_type", "object_repr", "said"]
    list_filter = ["action_flag", "content_type"]
    list_select_related = ["user", "content_type"]
    search_fields = ["object_repr", "user__name", "user__phone"]
    date_hierarchy = "action_time"
    show_full_result_count = False

    @admin.display(description="What")
    def said(self, entry: LogEntry) -> str:
        return entry.get_change_message()


@admin.register(RateLimit)
class RateLimitAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["key", "window_at", "hits"]
    ordering = ["-hits"]
    show_full_result_count = False
