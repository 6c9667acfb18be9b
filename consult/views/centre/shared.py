"""Who scanned the health centre's square code in their ABHA app: the sheet to print, and taking them in."""

from typing import Any
from uuid import UUID

import segno
from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions as accounts
from accounts.gates import AtCentre, get_or_refuse, health_worker_only
from accounts.models import Patient
from consult.abdm import gateway, sharing
from consult.forms import CentrePatientForm
from consult.models import SharedProfile
from consult.views.centre.patients import FOUND, FOUND_FOR, signed


def _needs_gateway() -> None:
    if not gateway.is_on():
        raise Http404


@require_safe
@health_worker_only
def code_sheet(request: AtCentre) -> HttpResponse:
    """To print and hang up: patients scan it and need not spell their name."""
    _needs_gateway()
    context = {"facility": request.facility, "address": sharing.share_address(request.facility)}
    return render(request, "consult/centre/abha_code.html", context)


@require_safe
@health_worker_only
def code_picture(request: AtCentre) -> HttpResponse:
    _needs_gateway()
    address = sharing.share_address(request.facility)
    if not address:
        raise Http404
    picture = segno.make(address, error="m").svg_inline(scale=8, border=4, light="white")
    picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return HttpResponse(picture, content_type="image/svg+xml")


@require_http_methods(["GET", "POST"])
@health_worker_only
def shared(request: AtCentre, shared: UUID) -> HttpResponse:
    """One of today's list: known already, or registered with what their app sent."""
    everybody = SharedProfile.objects.select_related("patient", "facility")
    entry = get_or_refuse(
        everybody.filter(facility=request.facility), everybody, request, uid=shared
    )
    _needs_gateway()
    if entry.patient:
        return redirect("consult:centre_patient", patient=entry.patient.uid)
    accounts.record("abdm.share_read", entry, by=request.user)
    known = sharing.known_as(entry)
    if request.method == "GET":
        return _page(request, entry, _form(initial=_initial(request, entry)), known=known)
    patient = known or _found(request)
    if patient is None:
        return _register(request, entry)
    return _taken(request, entry, patient)


def _page(
    request: AtCentre,
    entry: SharedProfile,
    form: CentrePatientForm,
    status: int = 200,
    **context: object,
) -> HttpResponse:
    context |= {"entry": entry, "form": form, "facility": request.facility}
    return render(request, "consult/centre/shared.html", context, status=status)


def _form(*args: Any, **kwargs: Any) -> CentrePatientForm:
    """The ABHA number came from the gateway: nobody types it, and only its last digits are shown."""
    form = CentrePatientForm(*args, **kwargs)
    del form.fields["abha_number"]
    return form


def _initial(request: AtCentre, entry: SharedProfile) -> dict[str, Any]:
    """What the app sent; the rest as of somebody from the village."""
    here = entry.state_id in (None, request.facility.state_id)
    born: dict[str, Any] = {"birth_date": entry.birth_date}
    if not entry.birth_date_is_exact:
        born = {"age": Patient(birth_date=entry.birth_date).age}
    return {
        "phone": entry.phone,
        "name": entry.name,
        "sex": entry.sex,
        "address": entry.address,
        "state": entry.state_id or request.facility.state_id,
        "district": request.facility.district_id if here else None,
        "language": get_language(),
        **born,
    }


def _found(request: AtCentre) -> Patient | None:
    """Whom the health worker pointed at among those who look alike; None when nobody was."""
    if "found" not in request.POST:
        return None
    try:
        uid, facility = signing.loads(request.POST["found"], salt=FOUND, max_age=FOUND_FOR)
    except signing.BadSignature:
        raise Http404 from None
    if facility != request.facility.pk:
        raise Http404
    return get_object_or_404(Patient, uid=uid)


def _register(request: AtCentre, entry: SharedProfile) -> HttpResponse:
    form = _form(request.POST)
    if not form.is_valid():
        return _page(request, entry, form, 422)
    patient: Patient = form.save(commit=False)
    sure = "sure" in request.POST
    try:
        accounts.register_at_centre(
            patient=patient,
            phone=form.cleaned_data["phone"],
            facility=request.facility,
            by=request.user,
            sure=sure,
        )
    except accounts.LooksAlike as error:
        return _page(request, entry, form, 409, alike=signed(request, error.patients))
    return _taken(request, entry, patient)


def _taken(request: AtCentre, entry: SharedProfile, patient: Patient) -> HttpResponse:
    try:
        sharing.take(entry=entry, patient=patient, by=request.user)
    except sharing.Taken:  # a colleague was quicker
        return redirect("consult:centre_shared", shared=entry.uid)
    return redirect("consult:centre_patient", patient=patient.uid)
