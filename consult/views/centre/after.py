"""After the talk: the prescription to print, what was given out, follow-ups."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import event
from accounts.gates import AtCentre, get_or_refuse, health_worker_only
from consult import actions
from consult.fetch import (
    CENTRES_ISSUED,
    CENTRES_LINES,
    centres_visit,
    lines_of_centre,
    with_session,
)
from consult.forms import DispensingForm, FollowUpForm
from consult.models import FollowUp, Prescription
from consult.of_consultation import LINES, issued_of
from consult.views.asked import wants_part
from queues.models import MoveRefused


@require_safe
@with_session(CENTRES_ISSUED)
@health_worker_only
def print_page(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The prescription as a page for the centre's printer; the PDF is the other way."""
    found = centres_visit(request, consultation, CENTRES_ISSUED)
    issued = issued_of(found)
    if issued is None:
        raise Http404
    printed = event("prescription.print", issued, by=request.user, patient=found.patient)
    document = issued.document or {}
    day = document.get("follow_up_on")
    context = {"consultation": found, "issued": issued, "document": document}
    context["follow_up_on"] = date.fromisoformat(day) if day else None
    context["issued_lines"] = LINES.all(printed, prescription=issued.pk)
    return render(request, "consult/centre/print.html", context)


@require_POST
@with_session(CENTRES_ISSUED, CENTRES_LINES)
@health_worker_only
def dispense(request: AtCentre, consultation: UUID) -> HttpResponse:
    """What the centre gave of each medicine."""
    found = centres_visit(request, consultation, CENTRES_ISSUED)
    issued = issued_of(found)
    if issued is None:
        raise Http404
    issued.consultation = found
    lines = lines_of_centre(request, issued, consultation)
    form = DispensingForm(request.POST, prescription=issued, lines=lines)
    if not form.is_valid():
        messages.error(request, _("Choose whether it was given. Nothing is noted yet."))
        return _given(request, issued, form)
    try:
        actions.dispense(
            prescription=issued, facility=request.facility, given=form.given, by=request.user
        )
    except MoveRefused:
        messages.error(request, _("The doctor has issued a newer prescription. Look at it first."))
        return redirect("consult:centre_visit", consultation=found.uid)
    messages.success(request, _("Noted what was given."))
    return _given(request, issued, DispensingForm(prescription=issued, lines=form.lines))


def _given(request: AtCentre, issued: Prescription, form: DispensingForm) -> HttpResponse:
    """The section alone for the script that has sent it (static/js/in_place.js), else the page."""
    if not wants_part(request):
        return redirect("consult:centre_visit", consultation=issued.consultation.uid)
    context = {"consultation": issued.consultation, "dispensing_form": form}
    return render(request, "consult/centre/_given.html", context)


@require_POST
@health_worker_only
def close_follow_up(request: AtCentre, follow_up: UUID) -> HttpResponse:
    """The patient was seen again, and how they are."""
    ours = FollowUp.objects.of_centre(request.facility).select_related("patient", "consultation")
    found = get_or_refuse(ours, FollowUp.objects.all(), request, uid=follow_up)
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say how the patient is."))
        return redirect("consult:centre_visit", consultation=found.consultation.uid)
    try:
        actions.close_follow_up(
            follow_up=found,
            by=request.user,
            outcome=form.cleaned_data["outcome"],
            words=form.cleaned_data["outcome_words"],
        )
    except MoveRefused:
        messages.info(request, _("A colleague has closed it already."))
    else:
        messages.success(request, _("The follow-up is closed."))
    return redirect("consult:centre")
