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
from consult.care_forms import EmergencyForm, PaperForm, VisitForm
from consult.forms import untouched
from consult.models import Consultation, InPersonVisit, MedicineSet
from consult.of_consultation import DRAFT, EMERGENCY, FOLLOWED_UP, NOTE, PAPERS
from esanjeevani.composed import Composed

SETS = Composed(lambda doctor: MedicineSet.objects.filter(doctor=doctor), doctor=BigAutoField())
VISITS = Composed(
    lambda patient, doctor: InPersonVisit.objects.filter(patient=patient, doctor=doctor)[:5],
    patient=BigAutoField(),
    doctor=BigAutoField(),
)


def rules_context(consultation: Consultation) -> dict[str, Any]:
    """What the rules say of the draft now, each warning with the reason that was given."""
    draft = DRAFT.first(consultation=consultation.pk)
    if draft is None:
        return {"checked": None}
    note = NOTE.first(consultation=consultation.pk)
    checked = actions.check_draft(draft, consultation, diagnosis=note.diagnosis if note else "")
    given = dict(draft.warning_reasons.values_list("key", "reason"))
    warned = [{"warning": one, "reason": given.get(one.key, "")} for one in checked.warnings]
    return {"checked": checked, "warned": warned}


def care_context(consultation: Consultation, doctor: Doctor) -> dict[str, Any]:
    """Earlier care, sets and the emergency, for the doctor's page."""
    link = FOLLOWED_UP.first(consultation=consultation.pk)
    return {
        "sets": SETS.all(doctor=doctor.pk),
        "visit": link.visit if link else None,
        "visits": VISITS.all(patient=consultation.patient_id, doctor=doctor.pk),
        "papers": PAPERS.all(consultation=consultation.pk),
        "emergency": EMERGENCY.first(consultation=consultation.pk),
        "visit_form": untouched(VisitForm, "visit"),
        "paper_form": untouched(PaperForm, "paper"),
        "emergency_form": untouched(EmergencyForm, "emergency"),
    }


def reasons_in(request: HttpRequest) -> dict[str, str]:
    """What was typed against warnings, by their keys."""
    prefix = "reason-"
    return {
        name.removeprefix(prefix)[:80]: value[:300]
        for name, value in request.POST.items()
        if name.startswith(prefix) and isinstance(value, str) and value.strip()
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
