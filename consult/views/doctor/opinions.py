"""What is asked of a doctor besides the line: opinions, and cases to answer in writing."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import record
from accounts.gates import SignedIn, doctor_only, get_or_refuse
from consult import actions
from consult.desk import Asked
from consult.forms import MessageForm, OpinionAnswerForm
from consult.models import Consultation, Opinion
from consult.of_consultation import chat_context
from consult.people import Role
from consult.readings import readings
from consult.views.rooms import with_camera
from queues.actions import NotOnDuty
from queues.models import Duty, MoveRefused


@require_safe
@doctor_only
def asked(request: SignedIn) -> HttpResponse:
    """What waits for this doctor besides the line: opinions, and cases to answer in writing."""
    record("desk.read", "asked", by=request.user)
    return render(request, "consult/asked.html", {"asked": Asked.of(request.user.doctor)})


@require_POST
@doctor_only
def take_written(request: SignedIn, consultation: UUID) -> HttpResponse:
    """Take a case of the pile, to answer it in writing."""
    on_duty = Duty.objects.working().filter(doctor=request.user.doctor).values("clinic")
    offered = Consultation.objects.with_people().filter(is_written=True, clinic__in=on_duty)
    found = get_or_refuse(offered, Consultation.objects.all(), request, uid=consultation)
    try:
        actions.take_written(consultation=found, doctor=request.user.doctor)
    except (MoveRefused, NotOnDuty):
        messages.info(request, _("Another doctor has just taken this case."))
        return redirect("consult:desk")
    return redirect("consult:doctors_room", consultation=found.uid)


@require_POST
@doctor_only
def join(request: SignedIn, opinion: UUID) -> HttpResponse:
    """The specialist comes into the room."""
    on_duty = Duty.objects.working().filter(doctor=request.user.doctor).values("clinic")
    offered = _opinions().filter(clinic__in=on_duty)
    found = get_or_refuse(offered, Opinion.objects.all(), request, uid=opinion)
    try:
        actions.join(opinion=found, specialist=request.user.doctor)
    except (MoveRefused, actions.NotAsked):
        if found.specialist_id != request.user.doctor.pk:
            messages.info(request, _("Another specialist was faster, or it is no longer needed."))
            return redirect("consult:desk")
    return redirect("consult:specialists_room", consultation=found.consultation.uid)


def _opinions() -> "QuerySet[Opinion]":
    return Opinion.objects.select_related(
        "consultation__patient", "consultation__facility", "clinic", "asked_by__user"
    )


@require_http_methods(["GET", "POST"])
@doctor_only
@with_camera
def specialists_room(request: SignedIn, consultation: UUID) -> HttpResponse:
    """The case and the talk for a specialist who was asked; the opinion is written here."""
    given = _opinions().filter(specialist=request.user.doctor).order_by("-pk")
    joined = Consultation.objects.with_people().filter(opinions__in=given).distinct()
    found = get_or_refuse(joined, Consultation.objects.all(), request, uid=consultation)
    opinion = given.filter(consultation=found)[0]
    form = OpinionAnswerForm(request.POST or None, instance=opinion)
    if request.method == "POST" and form.is_valid():
        _give(request, opinion, form.cleaned_data["answer"])
        return redirect("consult:specialists_room", consultation=found.uid)
    record("consultation.read", found, by=request.user, patient=found.patient)
    context = {
        "consultation": found,
        "patient": found.patient,
        "opinion": opinion,
        "opinion_form": form,
        "role": Role.SPECIALIST,
        "is_live": found.state == Consultation.State.IN_PROGRESS and opinion.is_open,
        "readings": readings(found),
        "form": MessageForm(),
        **chat_context(found),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "consult/specialists_room.html", context, status=status)


def _give(request: SignedIn, opinion: Opinion, answer: str) -> None:
    current = _opinions().get(pk=opinion.pk)
    try:
        actions.give_opinion(opinion=current, specialist=request.user.doctor, answer=answer)
    except MoveRefused:
        messages.info(request, _("It is no longer needed."))
    else:
        messages.success(request, _("Your opinion is with the treating doctor."))
