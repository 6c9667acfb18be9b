"""The doctor's steps around a prescription: earlier care, emergencies, refills."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.gates import SignedIn, doctor_only, get_or_refuse
from consult import actions
from consult.fetch import doctors_consultation
from consult.forms import EmergencyForm, PaperForm, VisitForm
from consult.models import Consultation, InPersonVisit, RefillRequest
from consult.views.doctor.room import room_page
from queues.models import MoveRefused


@require_POST
@doctor_only
def record_visit(request: SignedIn, consultation: UUID) -> HttpResponse:
    """A visit in person, written down now or before; with "none" this is a first consultation."""
    found = doctors_consultation(request, consultation)
    if "none" in request.POST:
        return _try(
            request, found, lambda: actions.unlink_visit(consultation=found, by=request.user)
        )
    if "earlier" in request.POST:
        mine = InPersonVisit.objects.filter(patient=found.patient, doctor=request.user.doctor)
        visit = get_object_or_404(mine, pk=_number(request.POST["earlier"]))
        return _try(
            request,
            found,
            lambda: actions.link_visit(consultation=found, visit=visit, by=request.user),
        )
    form = VisitForm(request.POST, prefix="visit")
    if not form.is_valid():
        return _again(request, found, visit_form=form)
    typed = {name: form.cleaned_data[name] for name in VisitForm.Meta.fields}
    return _try(
        request,
        found,
        lambda: actions.record_visit(consultation=found, by=request.user, **typed),
    )


@require_POST
@doctor_only
def record_paper(request: SignedIn, consultation: UUID) -> HttpResponse:
    found = doctors_consultation(request, consultation)
    form = PaperForm(request.POST, prefix="paper")
    if not form.is_valid():
        return _again(request, found, paper_form=form)
    return _try(
        request,
        found,
        lambda: actions.record_paper(consultation=found, by=request.user, **form.cleaned_data),
    )


@require_POST
@doctor_only
def emergency(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Call it an emergency."""
    found = doctors_consultation(request, consultation)
    return _try(
        request, found, lambda: actions.declare_emergency(consultation=found, by=request.user)
    )


@require_POST
@doctor_only
def refer_emergency(request: SignedIn, consultation: UUID) -> HttpResponse:
    """End an emergency with first aid and the way to a hospital."""
    found = doctors_consultation(request, consultation)
    form = EmergencyForm(request.POST, prefix="emergency")
    if not form.is_valid():
        return _again(request, found, emergency_form=form)
    typed = {name: form.cleaned_data[name] for name in EmergencyForm.Meta.fields}
    try:
        actions.refer_emergency(consultation=found, by=request.user, **typed)
    except MoveRefused:
        messages.info(request, _("The consultation had ended already."))
    return redirect("consult:desk")


@require_POST
@doctor_only
def take_refill(request: SignedIn, refill: UUID) -> HttpResponse:
    """Open a refill request: a consultation in writing with the medicines as a draft."""
    mine = RefillRequest.objects.with_people().filter(doctor=request.user.doctor)
    found = get_or_refuse(mine, RefillRequest.objects.all(), request, uid=refill)
    try:
        taken = actions.take_refill(refill=found, doctor=request.user.doctor)
    except MoveRefused:
        messages.info(request, _("The request was taken or withdrawn meanwhile."))
        return redirect("consult:desk")
    return redirect("consult:doctors_room", consultation=taken.uid)


def _try(request: SignedIn, consultation: Consultation, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except MoveRefused:
        messages.error(request, _("The consultation has ended; nothing was changed."))
        return redirect("consult:desk")
    return redirect("consult:doctors_room", consultation=consultation.uid)


def _again(request: SignedIn, consultation: Consultation, **forms: Any) -> HttpResponse:
    """The room with a form that was refused."""
    return room_page(request, consultation, 422, care_open=next(iter(forms)), **forms)


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
