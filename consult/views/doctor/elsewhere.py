"""Records from elsewhere, on the doctor's pages: ask the patient for them, and read what came."""

import io
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import record
from accounts.gates import SignedIn, doctor_only, get_or_refuse
from consult.abdm import asking, enclosed, gateway, receiving, shown
from consult.fetch import doctors_consultation
from consult.forms import ElsewhereForm
from consult.models import AbdmConsent, AbdmRecord, Consultation
from consult.uploads import BadFile
from consult.views.patient.visit import download

ASKED_SHOWN = 5


def elsewhere_context(consultation: Consultation) -> dict[str, Any]:
    """For the doctor's room: may be asked, was asked, how many documents came."""
    if not gateway.is_on():
        return {"elsewhere": None}
    patient = consultation.patient
    asked = AbdmConsent.objects.filter(patient=patient, role=AbdmConsent.Role.HIU)
    return {
        "elsewhere": {
            "can_ask": patient.abha_is_verified and patient.abha_address,
            "asked": list(asked.select_related("requested_by")[:ASKED_SHOWN]),
            "count": receiving.records_in_force(patient).count(),
            "form": ElsewhereForm(),
        }
    }


@require_POST
@doctor_only
def ask_elsewhere(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The patient is asked on their own phone; nothing is seen before they say yes."""
    found = doctors_consultation(request, consultation)
    if not gateway.is_on():
        raise Http404
    form = ElsewhereForm(request.POST)
    if found.state != Consultation.State.IN_PROGRESS:
        messages.error(request, _("The consultation has ended; nothing was changed."))
    elif not form.is_valid():
        messages.error(request, _first_of(form))
    else:
        since = timezone.make_aware(datetime.combine(form.cleaned_data["since"], time(0)))
        try:
            asking.ask_consent(patient=found.patient, doctor=request.user.doctor, since=since)
        except asking.NoAddress:
            messages.error(request, _("The patient's ABHA is not verified."))
        else:
            messages.success(
                request, _("Asked. The patient answers in their ABHA app; look again in a minute.")
            )
    return redirect("consult:doctors_room", consultation=found.uid)


def _first_of(form: forms.Form) -> str:
    return str(next(iter(form.errors.values()))[0])


@require_safe
@doctor_only
def elsewhere(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The documents that came under a consent in force, a few at a time, newest first."""
    found = doctors_consultation(request, consultation)
    if not gateway.is_on():
        raise Http404
    skip = _skipped(request.GET.get("from", ""))
    documents, has_older = shown.page_of(found.patient, skip)
    record("abdm.read", found, by=request.user, patient=found.patient)
    context = {
        "consultation": found,
        "patient": found.patient,
        "documents": documents,
        "older": skip + shown.PAGE if has_older else None,
    }
    return render(request, "consult/abdm/elsewhere.html", context)


def _skipped(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 0


@require_safe
@doctor_only
def enclosed_file(request: SignedIn, consultation: UUID, document: UUID, number: int) -> Any:
    """One file of a document, while the consent is in force; checked and written anew as an upload is."""
    found = doctors_consultation(request, consultation)
    if not gateway.is_on():
        raise Http404
    rows = receiving.records_in_force(found.patient)
    row = get_or_refuse(rows, AbdmRecord.objects.all(), request, uid=document)
    files = enclosed.files_of(row.bundle)
    if number >= len(files):
        raise Http404
    record("abdm.file", row, by=request.user, patient=found.patient)
    try:
        clean = files[number].open()
    except BadFile:
        messages.error(request, _("This file is damaged or not safe, so it was not opened."))
        return redirect("consult:elsewhere", consultation=found.uid)
    return download(io.BytesIO(clean.content), clean.name, clean.kind)
