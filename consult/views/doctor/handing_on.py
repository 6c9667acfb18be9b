"""The treating doctor asks others: the health worker, a specialist, another clinic, a hospital."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import record
from accounts.gates import SignedIn, doctor_only, get_or_refuse, signed_in
from consult import actions
from consult.fetch import doctors_consultation, visible_consultation
from consult.forms import InstructionForm
from consult.models import Opinion, Referral
from consult.pdf.letter import render_letter
from consult.views.doctor.colleagues import opinion_form, referral_form, transfer_form
from consult.views.doctor.room import room_page
from consult.views.patient.booking import why_no_token
from consult.views.patient.visit import inline_pdf
from queues.actions import AlreadyWaiting, NoToken
from queues.models import MoveRefused


@require_POST
@doctor_only
def instruct(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Lands on the health worker's screen: measure again, bring the report, ask the mother."""
    found = doctors_consultation(request, consultation)
    form = InstructionForm(request.POST, prefix="instruction")
    if not form.is_valid():
        return room_page(request, found, 422, instruction_form=form)
    try:
        actions.instruct(consultation=found, by=request.user, words=form.cleaned_data["words"])
    except MoveRefused:
        messages.info(request, _("Nobody is at the other end any more."))
    return redirect("consult:doctors_room", consultation=found.uid)


@require_POST
@doctor_only
def ask_opinion(request: SignedIn, consultation: UUID) -> HttpResponse:
    """A specialist is asked; this doctor stays the treating doctor."""
    found = doctors_consultation(request, consultation)
    form = opinion_form(found, request.POST)
    if not form.is_valid():
        return room_page(request, found, 422, opinion_form=form)
    try:
        actions.ask_opinion(consultation=found, doctor=request.user.doctor, **form.cleaned_data)
    except MoveRefused:
        messages.info(request, _("A specialist is asked already, or the consultation has ended."))
    return redirect("consult:doctors_room", consultation=found.uid)


@require_POST
@doctor_only
def withdraw_opinion(request: SignedIn, consultation: UUID, opinion: UUID) -> HttpResponse:
    found = doctors_consultation(request, consultation)
    asked = get_or_refuse(found.opinions.all(), Opinion.objects.all(), request, uid=opinion)
    try:
        actions.withdraw_opinion(opinion=asked, doctor=request.user.doctor)
    except MoveRefused:
        messages.info(request, _("The opinion has come already."))
    return redirect("consult:doctors_room", consultation=found.uid)


@require_POST
@doctor_only
def transfer(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Another clinic's doctor takes over the care; the patient is told and has a place there."""
    found = doctors_consultation(request, consultation)
    form = transfer_form(found, request.POST)
    if not form.is_valid():
        return room_page(request, found, 422, transfer_form=form)
    clinic, words = form.cleaned_data["clinic"], form.cleaned_data["words"]
    try:
        later = actions.transfer_care(
            consultation=found, doctor=request.user.doctor, clinic=clinic, words=words
        )
    except NoToken as error:
        form.add_error("clinic", why_no_token(error))
        return room_page(request, found, 409, transfer_form=form)
    except AlreadyWaiting:
        form.add_error("clinic", _("The patient waits in that clinic already."))
        return room_page(request, found, 409, transfer_form=form)
    except MoveRefused:
        messages.error(request, _("This consultation cannot be handed over any more."))
        return redirect("consult:doctors_room", consultation=found.uid)
    messages.success(
        request,
        _("%(name)s has token %(number)s in %(clinic)s.")
        % {"name": later.patient.name, "number": later.token, "clinic": clinic.local_name},
    )
    return redirect("consult:desk")


@require_POST
@doctor_only
def refer(request: SignedIn, consultation: UUID) -> HttpResponse:
    """A letter for being seen in person."""
    found = doctors_consultation(request, consultation)
    form = referral_form(found, request.POST)
    if not form.is_valid():
        return room_page(request, found, 422, referral_form=form)
    try:
        actions.refer_in_person(consultation=found, doctor=request.user.doctor, **form.cleaned_data)
    except MoveRefused:
        messages.error(request, _("The consultation has ended; nothing was changed."))
    return redirect("consult:doctors_room", consultation=found.uid)


@require_safe
@signed_in
def letter(request: SignedIn, consultation: UUID, referral: UUID) -> HttpResponseBase:
    """The letter as PDF, to everybody who may see the consultation."""
    found = visible_consultation(request, consultation)
    kept = get_or_refuse(found.referrals.all(), Referral.objects.all(), request, uid=referral)
    record("referral.read", kept, by=request.user, patient=found.patient)
    return inline_pdf(render_letter(kept), f"{kept.number}.pdf")
