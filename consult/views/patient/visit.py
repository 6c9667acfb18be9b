"""The patient's page of a consultation, from the waiting room to the stars."""

import io
import logging
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import record
from accounts.gates import SignedIn, get_or_refuse, noticed, signed_in
from consult import actions
from consult.fetch import booked_consultation, own_consultation, visible_consultation
from consult.forms import FeedbackForm, MessageForm
from consult.models import (
    Attachment,
    Consultation,
    EmergencyReferral,
    Feedback,
    RefillRequest,
)
from consult.of_consultation import chat_context, issued_of, letters_of, note_of
from consult.pdf import Paper
from consult.people import Role, role_of
from consult.views.patient.booking import opd_clinics, too_many_files
from consult.views.rooms import ROOMS, allow_camera
from queues.line import Standing, read_line, standings
from queues.models import Duty, KeptApart, MoveRefused, Presence, Token

log = logging.getLogger(__name__)


@require_safe
@noticed
def visit(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The patient's page of one consultation, from the waiting room to the prescription."""
    found = own_consultation(request, consultation)
    state = found.state
    if state == Consultation.State.DRAFT:
        return redirect("consult:files", consultation=found.uid)
    record("consultation.read", found, by=request.user, patient=found.patient)
    is_let_in = found.is_in_call and found.lets_phone_in
    if found.facility_id is not None and not found.is_over and not is_let_in:
        return render(request, "consult/at_centre.html", {"consultation": found})
    if state == Consultation.State.REQUESTED:
        return _waiting_room(request, found)
    if state == Consultation.State.IN_PROGRESS:
        return _room(request, found)
    return render(request, "consult/result.html", _result(found))


def _waiting_room(request: SignedIn, consultation: Consultation) -> HttpResponse:
    token = consultation.token
    if token is None:
        raise AssertionError("A requested consultation has a token.")
    if token.is_open:
        Presence.renew([token.pk])
    is_parted = KeptApart.of_patient(consultation.patient).exists()
    # Before the line is read: a doctor who comes in between is then one that the page has not heard of.
    all_doctors = (
        Duty.objects.working().filter(clinic=consultation.clinic).count() if is_parted else 0
    )
    line = read_line(consultation.clinic, consultation.patient)
    ahead = line.ahead_of(token.pk)
    context = {
        "consultation": consultation,
        "token": token,
        "ahead": ahead,
        "wait": line.wait(ahead) if ahead is not None else None,
        "doctors": line.doctors,
        "is_called": token.state == Token.State.CALLED,
        "is_parted": is_parted,
        "all_doctors": all_doctors,
        "others": _others_than(consultation) if is_parted and not line.doctors else [],
    }
    return render(request, "consult/waiting_room.html", context)


def _others_than(consultation: Consultation) -> list[Standing]:
    """Up to three clinics of the state that take the patient now."""
    clinics = opd_clinics().filter(state=consultation.clinic.state_id)
    there = clinics.exclude(pk=consultation.clinic_id).select_related("speciality")
    known = standings(list(there), consultation.patient)
    return [standing for standing in known if standing.takes_patients][:3]


def _room(
    request: SignedIn,
    consultation: Consultation,
    form: MessageForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"consultation": consultation, "form": form or MessageForm()}
    emergency = EmergencyReferral.objects.filter(consultation=consultation).exists()
    context |= chat_context(consultation) | {"issued": issued_of(consultation)}
    context["emergency"] = emergency
    context["role"] = Role.PATIENT
    context["is_guest"] = consultation.facility_id is not None  # the talk is the health centre's
    return allow_camera(render(request, "consult/room.html", context, status=status))


def _result(consultation: Consultation) -> dict[str, Any]:
    feedback = Feedback.objects.filter(consultation=consultation).first()
    return {
        "consultation": consultation,
        "issued": issued_of(consultation),
        "note": note_of(consultation),
        "feedback": feedback,
        "feedback_form": FeedbackForm(),
        "refill": RefillRequest.objects.filter(
            prescription__consultation=consultation, state=RefillRequest.State.WAITING
        ).first(),
        "letters": letters_of(consultation),
        "next": consultation.continued_by.sent().select_related("clinic").first(),
        **chat_context(consultation),
    }


@require_POST
@noticed
def answer(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The patient was called and comes in."""
    found = booked_consultation(request, consultation)
    try:
        actions.begin(consultation=found, by=request.user)
    except MoveRefused:
        if found.state == Consultation.State.REQUESTED:
            messages.error(
                request, _("The call is over. You keep your place and will be called again.")
            )
    return redirect("consult:visit", consultation=found.uid)


@require_POST
@noticed
def leave(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The patient gives the place up."""
    found = booked_consultation(request, consultation)
    try:
        actions.leave(consultation=found, by=request.user)
    except MoveRefused:
        messages.error(request, _("This is no longer possible."))
    return redirect("consult:visit", consultation=found.uid)


@require_POST
@signed_in
def post_message(request: SignedIn, consultation: UUID) -> HttpResponse:
    """A message from the page without JavaScript, and every message with a file."""
    found = visible_consultation(request, consultation)
    room = ROOMS[role_of(found, request.user) or Role.PATIENT]
    form = MessageForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            actions.post_message(
                consultation=found,
                by=request.user,
                client_id=form.cleaned_data["client_id"],
                text=form.cleaned_data["text"],
                clean=form.cleaned_data["file"],
            )
            return redirect(room, consultation=found.uid)
        except actions.TooManyFiles as error:
            form.add_error("file", too_many_files(error))
        except MoveRefused:
            messages.error(request, _("The consultation has ended. The message was not sent."))
            return redirect(room, consultation=found.uid)
    context = {"consultation": found, "form": form, "room": room}
    return render(request, "consult/message_refused.html", context, status=422)


@require_safe
@signed_in
def file(request: SignedIn, consultation: UUID, attachment: UUID) -> FileResponse:
    """One file, to those who may see the consultation. It never runs in the browser."""
    found = visible_consultation(request, consultation)
    kept = get_or_refuse(found.attachments.all(), Attachment.objects.all(), request, uid=attachment)
    record("attachment.read", kept, by=request.user, patient=found.patient)
    return download_file(kept)


@require_safe
@signed_in
def prescription_pdf(request: SignedIn, consultation: UUID) -> HttpResponseBase:
    """The PDF of the prescription in force, with ?paper=a5 the small one; until it is made, a page."""
    found = visible_consultation(request, consultation)
    issued = issued_of(found)
    if issued is None:
        return render(request, "404.html", status=404)
    record("prescription.read", issued, by=request.user, patient=found.patient)
    paper = Paper.A5 if request.GET.get("paper") == Paper.A5.value else Paper.A4
    kept = actions.paper_of(issued, paper)
    if kept is None:
        context = {"consultation": found, "issued": issued}
        return render(request, "consult/pdf_soon.html", context, status=202)
    return download(kept, paper.file_name(issued.number), "application/pdf")


def inline_pdf(content: bytes, name: str) -> FileResponse:
    """A PDF that was made just now."""
    return download(io.BytesIO(content), name, "application/pdf")


def download_file(kept: Attachment) -> FileResponse:
    """Raises Http404 when it is gone from the storage."""
    try:
        return download(kept.file.open(), kept.name, kept.kind)
    except FileNotFoundError:
        log.error("%s is gone from the storage", kept.file.name)
        raise Http404 from None


def download(opened: Any, name: str, kind: str) -> FileResponse:
    """To be kept, not run: the browser opens nothing of it as a page of ours."""
    response = FileResponse(opened, as_attachment=True, filename=name, content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response._csp_replace = {"default-src": ["'none'"], "sandbox": []}  # type: ignore[attr-defined]
    return response


@require_safe
@noticed
def consultations(request: SignedIn) -> HttpResponse:
    """Past and present consultations of this account's patients."""
    mine = Consultation.objects.with_people().of_patient_account(request.user)
    shown = mine.exclude(state="cancelled", end_reason="discarded").order_by("-created_at")[:100]
    return render(request, "consult/consultations.html", {"consultations": shown})


@require_http_methods(["POST"])
@noticed
def feedback(request: SignedIn, consultation: UUID) -> HttpResponse:
    found = own_consultation(request, consultation)
    if found.state != Consultation.State.COMPLETED:
        return redirect("consult:visit", consultation=found.uid)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        context = _result(found) | {"feedback_form": form}
        return render(request, "consult/result.html", context, status=422)
    actions.give_feedback(consultation=found, by=request.user, **form.cleaned_data)
    messages.success(request, _("Thank you. Your words help to make it better."))
    return redirect("consult:visit", consultation=found.uid)


@require_safe
@noticed
def short_link(request: SignedIn, consultation: UUID) -> HttpResponse:
    """From an SMS: sign in, then the consultation, if it is yours."""
    return redirect("consult:visit", consultation=own_consultation(request, consultation).uid)
