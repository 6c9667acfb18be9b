"""The patient asks the same doctor to go on with the same medicines."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.gates import SignedIn, get_or_refuse, noticed
from consult import actions
from consult.fetch import own_consultation
from consult.forms import RefillForm
from consult.models import RefillRequest
from consult.of_consultation import issued_of
from queues.models import MoveRefused


@require_http_methods(["GET", "POST"])
@noticed
def ask(request: SignedIn, consultation: UUID) -> HttpResponse:
    """How the patient is now, and that the doctor may decide in writing."""
    found = own_consultation(request, consultation)
    issued = issued_of(found)
    if issued is None or not found.is_over:
        raise Http404
    form = RefillForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        context = {"consultation": found, "issued": issued, "form": form}
        return render(request, "consult/refill.html", context, status=status)
    try:
        actions.request_refill(
            prescription=issued,
            by=request.user,
            words=form.cleaned_data["words"],
            language=get_language() or "en",
        )
        messages.success(request, _("The doctor has your request. You get an SMS."))
    except (actions.AlreadyAsked, MoveRefused):
        messages.info(request, _("The doctor has your request already."))
    return redirect("consult:visit", consultation=found.uid)


@require_POST
@noticed
def withdraw(request: SignedIn, refill: UUID) -> HttpResponse:
    mine = RefillRequest.objects.with_people().filter(
        prescription__consultation__patient__account=request.user
    )
    found = get_or_refuse(mine, RefillRequest.objects.all(), request, uid=refill)
    try:
        actions.withdraw_refill(refill=found, by=request.user)
    except MoveRefused:
        messages.info(request, _("The doctor looks at it already."))
    return redirect("consult:visit", consultation=found.prescription.consultation.uid)
