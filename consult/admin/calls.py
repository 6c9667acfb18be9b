from django.contrib import admin

from accounts.admin.base import short
from consult.admin.consultations import OfConsultation
from consult.models import AbuseReport, CallEvent, CallLeg


@admin.register(CallEvent)
class CallEventAdmin(OfConsultation):
    list_display = ["at", "patient", "role", "what", "by"]
    list_filter = ["what", "role"]
    list_select_related = ["consultation__patient", "by"]
    date_hierarchy = "at"


@admin.register(CallLeg)
class CallLegAdmin(OfConsultation):
    list_display = ["reported_at", "patient", "role", "other", "video_seconds", "sound_seconds"]
    list_filter = ["role", "other"]
    date_hierarchy = "reported_at"


@admin.register(AbuseReport)
class AbuseReportAdmin(OfConsultation):
    """Read here; what follows from it is the officer's to do with the account or the doctor."""

    list_display = ["reported_at", "role", "patient", "doctor", "shortened"]
    list_filter = ["role", "consultation__clinic__state"]
    list_select_related = ["consultation__patient", "consultation__doctor__user"]
    date_hierarchy = "reported_at"

    @admin.display(description="Doctor")
    def doctor(self, report: AbuseReport) -> str:
        return str(report.consultation.doctor or "")

    @admin.display(description="What happened")
    def shortened(self, report: AbuseReport) -> str:
        return short(report.words)
