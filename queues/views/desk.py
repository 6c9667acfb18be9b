"""Going on duty, pausing, going off."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.gates import SignedIn, doctor_only
from accounts.models import Doctor
from queues import actions
from queues.models import Clinic


@require_POST
@doctor_only
def start_duty(request: SignedIn) -> HttpResponse:
    doctor: Doctor = request.user.doctor
    clinics = Clinic.objects.filter(is_active=True, speciality=doctor.speciality)
    try:
        clinic = get_object_or_404(clinics, uid=request.POST.get("clinic", ""))
    except ValidationError:  # not the shape of an id
        raise Http404 from None
    try:
        actions.start_duty(doctor=doctor, clinic=clinic)
    except actions.NotVerified:
        messages.error(
            request, _("Your registration has not been verified yet. Ask your nodal officer.")
        )
    return redirect("consult:desk")


@require_POST
@doctor_only
def pause_duty(request: SignedIn) -> HttpResponse:
    actions.pause_duty(doctor=request.user.doctor)
    return redirect("consult:desk")


@require_POST
@doctor_only
def resume_duty(request: SignedIn) -> HttpResponse:
    actions.resume_duty(doctor=request.user.doctor)
    return redirect("consult:desk")


@require_POST
@doctor_only
def end_duty(request: SignedIn) -> HttpResponse:
    """Off duty everywhere; the doctor is told who is left behind without one."""
    left = actions.end_duty(doctor=request.user.doctor)
    for clinic, waiting in left:
        words = ngettext(
            "%(n)d patient still waits in %(clinic)s without a doctor. Their page says so.",
            "%(n)d patients still wait in %(clinic)s without a doctor. Their pages say so.",
            waiting,
        )
        messages.warning(request, words % {"n": waiting, "clinic": clinic.local_name})
    return redirect("consult:desk")
