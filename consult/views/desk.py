"""The doctor's desk: the lines, who is held, what is asked, and going on and off duty."""

from django.db.models import BigAutoField
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actions import record
from accounts.gates import SignedIn, doctor_only
from accounts.models import Doctor
from consult.desk import OwnPart, duties_version
from esanjeevani.composed import Composed
from queues.desk import desk_lines
from queues.models import Clinic, Duty

MAY_START = Composed(
    lambda doctor, speciality: (
        Clinic.objects.filter(is_active=True, speciality=speciality)
        .exclude(pk__in=Duty.objects.on().filter(doctor=doctor).values("clinic"))
        .select_related("state")
        .order_by("state__name", "name")
    ),
    doctor=BigAutoField(),
    speciality=BigAutoField(),
)


@require_safe
@doctor_only
def desk(request: SignedIn) -> HttpResponse:
    """The doctor's day. What changes on it comes over its socket, except the part below."""
    doctor: Doctor = request.user.doctor
    lines = desk_lines(doctor)
    record("desk.read", "desk", by=request.user)
    context = {
        "doctor": doctor,
        "own": OwnPart.of(doctor),
        "lines": lines,
        "duties": duties_version(lines),
        "is_paused": any(line.is_paused for line in lines),
        "may_start": MAY_START.all(doctor=doctor.pk, speciality=doctor.speciality_id),
        "now": timezone.now(),
    }
    return render(request, "consult/desk.html", context)


@require_safe
@doctor_only
def own_part(request: SignedIn) -> HttpResponse:
    """The part of the desk that is the doctor's own; the page fetches it when it is told of another."""
    record("desk.read", "desk", by=request.user)
    return render(request, "consult/_desk_own.html", {"own": OwnPart.of(request.user.doctor)})
