from django.contrib import admin

from accounts.models import Patient
from consult.admin.consultations import OfConsultation
from consult.models import Dispensing, FollowUp, Instruction, Observation, Opinion, Referral


@admin.register(Observation)
class ObservationAdmin(OfConsultation):
    """The vital signs as they were measured; the value itself is read one by one."""

    list_display = ["taken_at", "patient", "kind", "loinc", "unit", "taken_by"]
    list_filter = ["kind"]
    list_select_related = ["consultation__patient", "patient", "taken_by"]
    date_hierarchy = "taken_at"


@admin.register(Instruction)
class InstructionAdmin(OfConsultation):
    list_display = ["asked_at", "patient", "asked_by", "done_at", "done_by"]
    list_filter = [("done_at", admin.EmptyFieldListFilter)]
    list_select_related = ["consultation__patient", "asked_by", "done_by"]
    date_hierarchy = "asked_at"


@admin.register(Opinion)
class OpinionAdmin(OfConsultation):
    list_display = ["asked_at", "patient", "clinic", "asked_by", "specialist", "state", "ended_at"]
    list_filter = ["state", "clinic__speciality"]
    list_select_related = [
        "consultation__patient", "clinic", "asked_by__user", "specialist__user",
    ]  # fmt: skip
    date_hierarchy = "asked_at"


@admin.register(Referral)
class ReferralAdmin(OfConsultation):
    """A letter that was written never changes. What it says stands in it as it was printed."""

    list_display = ["number", "patient", "where", "urgency", "issued_by", "issued_at"]
    list_filter = ["urgency", "speciality"]
    list_select_related = ["consultation__patient", "facility", "issued_by__user"]
    search_fields = ["number", *OfConsultation.search_fields]
    search_help_text = "Letter number, consultation id, patient's name or number"
    date_hierarchy = "issued_at"


@admin.register(FollowUp)
class FollowUpAdmin(OfConsultation):
    list_display = ["due_on", "patient", "facility", "outcome", "closed_at", "closed_by"]
    list_filter = [("closed_at", admin.EmptyFieldListFilter), "outcome"]
    list_select_related = ["consultation__patient", "patient", "facility", "closed_by"]
    date_hierarchy = "due_on"


@admin.register(Dispensing)
class DispensingAdmin(OfConsultation):
    """What a health centre gave out of one line of a prescription."""

    to_consultation = "line__prescription__consultation__"

    list_display = ["dispensed_at", "patient", "line", "given", "facility", "dispensed_by"]
    list_filter = ["given"]
    list_select_related = ["line__prescription__consultation__patient", "facility", "dispensed_by"]
    search_fields = [
        "line__prescription__number", "line__generic",
        *(f"line__prescription__{path}" for path in OfConsultation.search_fields),
    ]  # fmt: skip
    search_help_text = "Prescription number, medicine, consultation id, patient's name or number"
    date_hierarchy = "dispensed_at"

    @admin.display(
        description="Patient", ordering="line__prescription__consultation__patient__name"
    )
    def patient(self, row: Dispensing) -> str:
        return row.line.prescription.consultation.patient.name

    def patient_of(self, row: Dispensing) -> Patient:
        return row.line.prescription.consultation.patient
