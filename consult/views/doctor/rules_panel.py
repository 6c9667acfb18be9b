"""Around the medicines on the doctor's page: what the rules say, sets, earlier care."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import BigAutoField
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.gates import SignedIn
from accounts.models import Doctor
from consult import actions
from consult.forms import EmergencyForm, PaperForm, VisitForm, untouched
from consult.models import Consultation, InPersonVisit, MedicineSet, PrescriptionLine
from consult.of_consultation import DRAFT_LINES, PAPERS, note_of
from consult.room_holds import RoomHolds
from consult.rules import check
from esanjeevani.sql.composed import Composed

SETS = Composed(lambda doctor: MedicineSet.objects.filter(doctor=doctor), doctor=BigAutoField())
VISITS = Composed(
    lambda patient, doctor: InPersonVisit.objects.filter(patient=patient, doctor=doctor)[:5],
    patient=BigAutoField(),
    doctor=BigAutoField(),
)


def rules_context(
    consultation: Consultation, drafted: list[PrescriptionLine] | None = None
) -> dict[str, Any]:
    """What the rules say of the draft now, each warning with the reason that was given.

    `drafted` are the draft's lines where they were read already.
    """
    lines = DRAFT_LINES.all(consultation=consultation.pk) if drafted is None else drafted
    if not lines:
        return {"checked": None}
    note = note_of(consultation)
    checked = check(consultation, lines, diagnosis=note.diagnosis if note else "")
    given = actions.reasons_given(lines[0].prescription) if checked.warnings else {}
    warned = [{"warning": one, "reason": given.get(one.key, "")} for one in checked.warnings]
    return {"checked": checked, "warned": warned}


def care_context(consultation: Consultation, holds: RoomHolds) -> dict[str, Any]:
    """Earlier care and sets, for the doctor's page."""
    link = getattr(consultation, "follow_up_link", None)
    patient, doctor = consultation.patient_id, consultation.doctor_id
    return {
        "sets": SETS.all(doctor=doctor) if holds.sets else [],
        "visit": link.visit if link else None,
        "visits": VISITS.all(patient=patient, doctor=doctor) if holds.visits else [],
        "papers": PAPERS.all(consultation=consultation.pk) if holds.papers else [],
        "visit_form": untouched(VisitForm, "visit"),
        "paper_form": untouched(PaperForm, "paper"),
        "emergency_form": untouched(EmergencyForm, "emergency"),
    }


def reasons_in(request: HttpRequest) -> dict[str, str]:
    """What was typed against warnings, by their keys."""
    prefix = "reason-"
    typed = {name: str(request.POST[name]) for name in request.POST if name.startswith(prefix)}
    return {
        name.removeprefix(prefix)[:80]: words[:300]
        for name, words in typed.items()
        if words.strip()
    }


def press_fast_button(request: SignedIn, consultation: Consultation) -> bool:
    """Sets and the last prescription once more. False when none of these buttons was pressed.

    Raises what actions.save_lines raises.
    """
    doctor: Doctor = request.user.doctor
    if "use_set" in request.POST or "delete_set" in request.POST:
        uid = request.POST.get("use_set") or request.POST.get("delete_set", "")
        _press_set(request, consultation, _own_set(doctor, uid))
    elif "save_set" in request.POST:
        _save_set(request, consultation, doctor)
    elif "repeat_last" in request.POST:
        if actions.repeat_last(consultation=consultation, by=request.user) is None:
            messages.info(request, _("There is no earlier prescription of this patient here."))
    else:
        return False
    return True


def _own_set(doctor: Doctor, uid: str) -> MedicineSet:
    try:
        return get_object_or_404(MedicineSet, doctor=doctor, uid=uid)
    except ValidationError:  # not the shape of an id
        raise Http404 from None


def _press_set(request: SignedIn, consultation: Consultation, medicine_set: MedicineSet) -> None:
    if "use_set" in request.POST:
        actions.use_set(consultation=consultation, medicine_set=medicine_set, by=request.user)
    else:
        actions.delete_set(medicine_set=medicine_set, by=request.user)


def _save_set(request: SignedIn, consultation: Consultation, doctor: Doctor) -> None:
    name = " ".join(request.POST.get("set_name", "").split())[:60]
    lines = actions.draft_lines(consultation)
    if not name or not lines:
        messages.error(request, _("Write medicines and a name for the set first."))
        return
    try:
        actions.save_set(doctor=doctor, name=name, lines=lines)
    except actions.TooManySets:
        messages.error(request, _("You have very many sets. Delete one first."))
        return
    messages.success(request, _("Kept as “%(name)s”.") % {"name": name})
