"""The call's pages and answers: devices, servers, and the ways on when it broke off."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import SignedIn, doctor_only, noticed, signed_in
from accounts.models import RateLimit
from accounts.phone import spaced
from consult import actions
from consult.fetch import booked_consultation, doctors_consultation, visible_consultation
from consult.ice import ice_configuration
from consult.models import Consultation
from consult.people import Role, role_of
from consult.views.rooms import ROOMS, with_camera
from queues.models import MoveRefused, Presence

ICE_PER_HOUR = 240  # by one person; a restart every fifteen seconds


@require_safe
@noticed
@with_camera
def devices(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Try camera, microphone, speaker and network while waiting; the place is kept meanwhile."""
    found = booked_consultation(request, consultation)
    token = found.token
    if found.state != Consultation.State.REQUESTED or token is None:
        return redirect("consult:visit", consultation=found.uid)
    Presence.renew([token.pk])
    return render(request, "consult/devices.html", {"consultation": found, "token": token})


@require_safe
@signed_in
def ice(request: SignedIn, consultation: UUID) -> HttpResponse:
    """STUN and TURN servers for this consultation, with fresh credentials."""
    found = visible_consultation(request, consultation)
    role = role_of(found, request.user)
    if role is None or not found.is_open:
        return _refused(_("The consultation has ended."), "ended", 409)
    if wait := _too_often(request):
        answer = _refused(_("Too many tries. Wait a little."), "too_often", 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    return JsonResponse(ice_configuration(found, role))


def _too_often(request: SignedIn) -> int:
    return RateLimit.hit("ice", str(request.user.pk), limit=ICE_PER_HOUR, window=timedelta(hours=1))


def _refused(words: str, code: str, status: int) -> JsonResponse:
    return JsonResponse({"code": code, "message": words}, status=status)


@require_POST
@doctor_only
def phone(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The patient's number, if the patient agreed to be phoned."""
    found = doctors_consultation(request, consultation)
    number = actions.show_number(consultation=found, by=request.user)
    if number is None:
        words = _("The patient did not agree to be phoned.")
        if _wants_json(request):
            return _refused(words, "not_agreed", 409)
        messages.error(request, words)
    elif _wants_json(request):
        return JsonResponse({"phone": number})
    else:
        words = _("The patient's number: %(number)s")
        if found.phone_centre:
            words = _("The health centre's number: %(number)s")
        messages.info(request, words % {"number": spaced(number)})
    return redirect("consult:doctors_room", consultation=found.uid)


def _wants_json(request: SignedIn) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


@require_POST
@doctor_only
def in_text(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Go on without sound and picture."""
    found = doctors_consultation(request, consultation)
    try:
        actions.go_on_in_text(consultation=found, by=request.user)
    except MoveRefused:
        messages.info(request, _("The consultation had ended already."))
    if _wants_json(request):
        return HttpResponse(status=204)
    return redirect("consult:doctors_room", consultation=found.uid)


@require_POST
@doctor_only
def put_back(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The patient is gone: first in line again, and the doctor is free for the next one."""
    found = doctors_consultation(request, consultation)
    try:
        actions.put_back(consultation=found, by=request.user)
        messages.success(request, _("The patient is back in the line and goes first."))
    except MoveRefused:
        messages.info(request, _("The consultation had ended already."))
    return redirect("consult:desk")


@require_POST
@signed_in
def report(request: SignedIn, consultation: UUID) -> HttpResponse:
    """End the talk because of how the other side behaves."""
    found = visible_consultation(request, consultation)
    room = ROOMS[role_of(found, request.user) or Role.PATIENT]
    words = request.POST.get("words", "").strip()[:1000]
    try:
        actions.report_abuse(consultation=found, by=request.user, words=words)
        messages.success(
            request, _("The talk has ended. You will not meet again. We look at your report.")
        )
    except MoveRefused:
        messages.info(request, _("The consultation had ended already."))
    return redirect(room, consultation=found.uid)
