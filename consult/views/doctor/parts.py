"""What the doctor's room shows, part by part."""

from typing import Any

from django.db.models import BigAutoField, QuerySet
from django.http import HttpRequest

from accounts.models import AuditEvent
from consult import actions
from consult.forms import DraftRows, note_fields, typed_fields
from consult.models import Consultation, Prescription, PrescriptionLine
from consult.of_consultation import (
    DRAFT_LINES,
    IN_FORCE,
    MESSAGES,
    OBSERVATIONS,
    SENT_FILES,
    note_of,
)
from consult.people import Role
from consult.readings import readings_of
from consult.room_holds import RoomHolds
from consult.views.doctor.colleagues import REACHABLE, around, panels
from consult.views.doctor.elsewhere import elsewhere_context
from consult.views.doctor.kept_parts import page_parts
from consult.views.doctor.returning import untouched_return_form
from consult.views.doctor.rules_panel import care_context, rules_context
from esanjeevani.sql.composed import Composed, together

EARLIER_SHOWN = 10


def room_context(
    request: HttpRequest, consultation: Consultation, seen: AuditEvent | None = None, **forms: Any
) -> dict[str, Any]:
    """Everything on the doctor's page of one consultation; `forms` are those with mistakes."""
    own, patient = consultation.pk, consultation.patient_id
    (there,), clinics, measured = together(
        RoomHolds.asked(consultation, seen),
        REACHABLE.asked(**around(consultation)),
        OBSERVATIONS.asked(consultation=own),
    )
    holds = RoomHolds(*there)
    context = {
        "consultation": consultation,
        "patient": consultation.patient,
        "role": Role.DOCTOR,
        "is_live": consultation.state == Consultation.State.IN_PROGRESS,
        "chat": MESSAGES.all(consultation=own) if holds.messages else [],
        "attachments": SENT_FILES.all(consultation=own) if holds.files else [],
        "earlier": EARLIER.all(patient=patient, but=own) if holds.earlier else [],
        "readings": readings_of(measured, consultation.patient),
        **panels(consultation, holds, clinics),
        **elsewhere_context(consultation),
        **_writing(consultation, holds),
        "return_form": untouched_return_form(consultation, clinics),
        **forms,
    }
    if "note_form" in forms:
        context["note_fields"] = typed_fields(forms["note_form"])
    return context | page_parts(request, consultation, context, is_untouched=not forms)


def _writing(consultation: Consultation, holds: RoomHolds) -> dict[str, Any]:
    """The doctor's own column: note, medicines, what the rules say, earlier care."""
    drafted = DRAFT_LINES.all(consultation=consultation.pk) if holds.draft else []
    return {
        "note": note_of(consultation),
        "note_fields": note_fields(note_of(consultation)),
        "medicines": DraftRows([actions.Line.drafted(row) for row in drafted]),
        "has_draft": holds.draft,
        "issued": IN_FORCE.first(consultation=consultation.pk) if holds.issued else None,
        "emergency": getattr(consultation, "emergency", None),
        **rules_context(consultation, drafted),
        **care_context(consultation, holds),
    }


def issued_context(
    consultation: Consultation, issued: Prescription, lines: list[PrescriptionLine]
) -> dict[str, Any]:
    """The doctor's form right after issuing: nothing else in the room has changed."""
    return {
        "consultation": consultation,
        "note_fields": note_fields(note_of(consultation)),
        "medicines": DraftRows([]),
        "has_draft": False,
        "issued": issued,
        "issued_lines": lines,
    }


def _earlier(patient: Any, but: Any) -> "QuerySet[Consultation]":
    """What a patient was seen for before: a doctor who treats sees the history."""
    seen = Consultation.objects.filter(patient=patient, state=Consultation.State.COMPLETED)
    with_notes = seen.exclude(pk=but).select_related("doctor__user", "clinic", "note")
    return with_notes.order_by("-ended_at")[:EARLIER_SHOWN]


EARLIER = Composed(_earlier, patient=BigAutoField(), but=BigAutoField())
