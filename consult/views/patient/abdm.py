"""The patient's own page of the national network: ABHA, what their app shows, consents, who looked."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import TooMany, record
from accounts.forms import CodeForm
from accounts.gates import SignedIn, get_or_refuse, noticed
from accounts.models import Patient
from consult.abdm import abha, gateway, holding, standing
from consult.fetch import own_consultation

ASKED = "abha.code"  # salt: the transaction of a code belongs to one patient
ASKED_FOR = timedelta(minutes=15)


def _own(request: SignedIn, uid: UUID) -> Patient:
    """Of this account, where the network is in use. Raises Http404."""
    own = get_or_refuse(Patient.objects.of(request.user), Patient.objects.all(), request, uid=uid)
    if not gateway.is_on():
        raise Http404
    return own


@require_safe
@noticed
def network(request: SignedIn, patient: UUID) -> HttpResponse:
    return _page(request, _own(request, patient))


def _page(request: SignedIn, patient: Patient, status: int = 200, **code: Any) -> HttpResponse:
    record("abdm.standing", patient, by=request.user, patient=patient)
    context = {
        "patient": patient,
        "consultations": standing.shown_elsewhere(patient),
        "consents": [(one, standing.kinds_in_words(one)) for one in standing.consents_of(patient)],
        "looks": standing.looks_at(patient),
        **code,
    }
    return render(request, "consult/abdm/network.html", context, status=status)


@require_POST
@noticed
def ask_code(request: SignedIn, patient: UUID) -> HttpResponse:
    """A code by SMS to the number that the ABHA is registered with."""
    found = _own(request, patient)
    try:
        transaction = abha.ask_for_code(patient=found, by=request.user)
    except TooMany:
        return render(request, "errors/too_many.html", status=429)
    except ValueError:
        messages.error(request, _("The ABHA number looks mistyped. Correct it first."))
        return redirect("consult:network", patient=found.uid)
    except (gateway.GatewayAway, gateway.GatewayRefused) as error:
        messages.error(request, _why_not(error))
        return redirect("consult:network", patient=found.uid)
    asked = signing.dumps([transaction, str(found.uid)], salt=ASKED)
    return _page(request, found, code_form=CodeForm(), asked=asked)


def _why_not(error: Exception) -> str:
    if isinstance(error, gateway.GatewayAway):
        return _("The ABHA service does not answer now. Try again later.")
    return _("The ABHA service said no. Compare the number with your card.")


@require_POST
@noticed
def verify(request: SignedIn, patient: UUID) -> HttpResponse:
    """The code from the SMS: the ABHA is this patient's if the service says so."""
    found = _own(request, patient)
    asked, form = request.POST.get("asked", ""), CodeForm(request.POST)
    try:
        transaction, uid = signing.loads(asked, salt=ASKED, max_age=ASKED_FOR)
    except signing.BadSignature:
        messages.info(request, _("That code is old. Ask for a new one."))
        return redirect("consult:network", patient=found.uid)
    if uid != str(found.uid):
        raise Http404
    if not form.is_valid():
        return _page(request, found, 422, code_form=form, asked=asked)
    code = form.cleaned_data["code"]
    try:
        abha.verify(patient=found, transaction_id=transaction, code=code, by=request.user)
    except abha.NotTheirs:
        form.add_error("code", _("The code is wrong, or this ABHA belongs to somebody else."))
        return _page(request, found, 409, code_form=form, asked=asked)
    except (gateway.GatewayAway, gateway.GatewayRefused) as error:
        form.add_error(None, _why_not(error))
        return _page(request, found, 409, code_form=form, asked=asked)
    messages.success(request, _("Your ABHA is verified."))
    return redirect("consult:network", patient=found.uid)


@require_POST
@noticed
def link(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Show this consultation in the patient's ABHA app."""
    found = own_consultation(request, consultation)
    if not gateway.is_on():
        raise Http404
    try:
        holding.link(consultation=found, by=request.user)
    except holding.NotVerified:
        messages.error(request, _("Verify your ABHA first."))
    except ValueError:
        messages.error(request, _("The consultation is not complete."))
    else:
        messages.success(request, _("It will be in your ABHA app in a minute."))
    return redirect("consult:network", patient=found.patient.uid)
