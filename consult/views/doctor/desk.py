"""The doctor's desk: the lines, who is held, what is asked, and calling the next one."""

from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db.models import BigAutoField
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import event
from accounts.gates import SignedIn, View, doctor_only
from accounts.models import AuditEvent, Doctor
from accounts.session_store import Ahead
from consult import actions
from consult.desk import LOOK, OwnPart, duties_version
from consult.fetch import doctors_consultation, found_of_doctor, with_session
from consult.views.asked import wants_part
from esanjeevani.sql.composed import Composed, Question, together
from queues.actions import AlreadyHolding, NobodyPresent, NotOnDuty
from queues.claim import Before, before_a_call
from queues.desk import DUTIES_OF, in_lines, lines_on
from queues.models import Clinic, Duty, MoveRefused, Token

MAY_START = Composed(
    lambda doctor: (
        Clinic.objects.filter(
            is_active=True, speciality__in=Doctor.objects.filter(pk=doctor).values("speciality")
        )
        .exclude(pk__in=Duty.objects.on().filter(doctor=doctor).values("clinic"))
        .select_related("state")
        .order_by("state__name", "name")
    ),
    doctor=BigAutoField(),
)


def duties_of(whose: int) -> Question:
    return DUTIES_OF.asked(doctor=whose)


def may_start(whose: int) -> Question:
    """The clinics in which this doctor may go on duty."""
    return MAY_START.asked(doctor=whose)


def with_clinic(view: View) -> View:
    """How the line stands is asked for together with the session; put it before the gate."""

    @wraps(view)
    def asking(request: Any) -> HttpResponseBase:
        if clinic := _named_clinic(request):
            request.session.ahead = (Ahead(before_a_call, {"clinic": clinic}),)
        return view(request)

    return asking


@require_safe
@with_session(duties_of, may_start)
@doctor_only
def desk(request: SignedIn) -> HttpResponse:
    """The doctor's day. What changes on it comes over its socket, except the part below."""
    doctor: Doctor = request.user.doctor
    duties, clinics = found_of_doctor(request, duties_of, may_start)
    (there,), *waiting = together(LOOK.asked(_seen(request), doctor=doctor.pk), *in_lines(duties))
    lines = lines_on(duties, waiting)
    context = {
        "doctor": doctor,
        "own": OwnPart.read(doctor.pk, there),
        "lines": lines,
        "duties": duties_version((one.clinic.pk, one.is_paused) for one in lines),
        "is_paused": any(line.is_paused for line in lines),
        "may_start": clinics,
        "now": timezone.now(),
    }
    return render(request, "consult/desk.html", context)


@require_safe
@doctor_only
def own_part(request: SignedIn) -> HttpResponse:
    """The part of the desk that is the doctor's own; the page fetches it when it is told of another."""
    own = OwnPart.of(request.user.doctor, seen=_seen(request))
    return render(request, "consult/_desk_own.html", {"own": own})


def _seen(request: SignedIn) -> AuditEvent:
    return event("desk.read", "desk", by=request.user)


@require_POST
@with_clinic
@doctor_only
def call_next(request: SignedIn) -> HttpResponse:
    """Call the first present patient of one line. To the page's script what comes of it, in place."""
    before = _before_a_call(request)
    holds, called = call_from(before.clinic, request, before)
    if not wants_part(request):
        return redirect("consult:desk")
    own = OwnPart.of(request.user.doctor, called) if holds else None
    return render(request, "consult/_called.html", {"own": own})


def call_from(
    clinic: Clinic, request: SignedIn, before: Before | None = None
) -> tuple[bool, Token | None]:
    """Whether the doctor has a patient now, and who was called; if nobody, a message says why."""
    doctor = request.user.doctor
    try:
        return True, actions.call_next(clinic=clinic, doctor=doctor, before=before).token
    except NotOnDuty:
        messages.error(request, _("You are not on duty in this clinic, or you are paused."))
    except AlreadyHolding:
        messages.info(request, _("You have a patient already."))
        return True, None
    except NobodyPresent as nobody:
        messages.info(request, _why_nobody(nobody))
    return False, None


def _before_a_call(request: SignedIn) -> Before:
    clinic = _named_clinic(request)
    if clinic is None:
        raise Http404
    (found,) = found_of_doctor(request, Ahead(before_a_call, {"clinic": clinic}))
    if not found:
        raise Http404
    return cast(Before, found[0])


def _named_clinic(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("clinic", ""))
    except ValueError:
        return None


def _why_nobody(nobody: NobodyPresent) -> str:
    if not nobody.waiting:
        return _("Nobody waits.")
    return ngettext(
        "Nobody is on the page now. %(n)d person waits and is away; they keep their place.",
        "Nobody is on the page now. %(n)d people wait and are away; they keep their place.",
        nobody.waiting,
    ) % {"n": nobody.waiting}


@require_POST
@doctor_only
def pass_over(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Wait no longer for the patient who was called."""
    found = doctors_consultation(request, consultation)
    try:
        actions.pass_over(consultation=found, by=request.user)
    except MoveRefused:
        messages.info(request, _("The patient has just come in."))
    return redirect("consult:desk")
