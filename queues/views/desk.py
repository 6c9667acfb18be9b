from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import record
from accounts.gates import SignedIn, doctor_only
from accounts.models import Doctor
from queues import actions
from queues.desk import desk_lines
from queues.models import Clinic, Duty, Token


@require_safe
@doctor_only
def desk(request: SignedIn) -> HttpResponse:
    """The doctor's day: the lines, who is called, and going on and off duty."""
    doctor: Doctor = request.user.doctor
    context = _lines(doctor) | {"doctor": doctor, "may_start": _may_start(doctor)}
    record("desk.read", "desk", by=request.user)
    return render(request, "queue/desk.html", context)


@require_safe
@doctor_only
def desk_lines_part(request: SignedIn) -> HttpResponse:
    """The part of the desk that moves; the page fetches it when it is told that a line changed."""
    record("desk.read", "desk", by=request.user)
    return render(request, "queue/_desk_lines.html", _lines(request.user.doctor))


def _lines(doctor: Doctor) -> dict[str, Any]:
    held = Token.objects.held().filter(doctor=doctor)
    lines = desk_lines(doctor)
    return {
        "refills": doctor.refill_requests.on_the_desk(),
        "lines": lines,
        "held": held.select_related("patient", "clinic", "consultation").first(),
        "is_paused": any(line.is_paused for line in lines),
    }


def _may_start(doctor: Doctor) -> list[Clinic]:
    """Clinics of the doctor's speciality, where the doctor is not on duty yet."""
    on = Duty.objects.on().filter(doctor=doctor).values("clinic")
    clinics = Clinic.objects.filter(is_active=True, speciality=doctor.speciality)
    return list(clinics.exclude(pk__in=on).select_related("state").order_by("state__name", "name"))


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
    return redirect("queue:desk")


@require_POST
@doctor_only
def pause_duty(request: SignedIn) -> HttpResponse:
    actions.pause_duty(doctor=request.user.doctor)
    return redirect("queue:desk")


@require_POST
@doctor_only
def resume_duty(request: SignedIn) -> HttpResponse:
    actions.resume_duty(doctor=request.user.doctor)
    return redirect("queue:desk")


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
    return redirect("queue:desk")
