"""Finding, registering and opening a patient at a health centre."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions as accounts
from accounts.finding import SHOWN, Mistyped, find_by_name, find_by_number
from accounts.gates import AtCentre, get_or_refuse, health_worker_only
from accounts.models import Patient, RateLimit
from consult import actions
from consult.fetch import ANYBODY, known_patient, linked_to_centre, with_session
from consult.forms import CentrePatientForm, FindForm
from consult.models import FollowUp
from consult.of_patient import EARLIER, FOLLOW_UPS_HERE, NOT_OVER_HERE
from consult.trends import trends
from queues.assignment import links_of

FOUND = "centre.found"  # salt: a patient is opened only by whoever has just found them
FOUND_FOR = timedelta(hours=2)
SEARCHES_AN_HOUR = 200


@require_safe
@health_worker_only
def find(request: AtCentre) -> HttpResponse:
    """Who is it? By a number, or by name with age and village."""
    form = FindForm(request.GET or None)
    context: dict[str, Any] = {"find_form": form, "facility": request.facility}
    if not form.is_bound:
        return render(request, "consult/centre/find.html", context)
    if not form.is_valid():
        return render(request, "consult/centre/find.html", context, status=422)
    hour = timedelta(hours=1)
    who = str(request.user.pk)
    looked = accounts.event("patients.find", f"facility:{request.facility.pk}", by=request.user)
    if RateLimit.hit("centre.find", who, limit=SEARCHES_AN_HOUR, window=hour, noted=looked):
        return render(request, "errors/too_many.html", status=429)
    try:
        context["people"] = signed(request, list(_found(request, form)))
    except Mistyped as error:
        form.add_error("number", why_mistyped(error))
        return render(request, "consult/centre/find.html", context, status=422)
    context["most"] = SHOWN
    return render(request, "consult/centre/find.html", context)


def _found(request: AtCentre, form: FindForm) -> Any:
    asked = form.cleaned_data
    if asked["number"].strip():
        return find_by_number(asked["number"])
    return find_by_name(
        name=asked["name"], age=asked["age"], village=asked["village"], state=request.facility.state
    )


def signed(request: AtCentre, people: list[Patient]) -> list[tuple[Patient, str]]:
    """With a key that opens the person to this health centre for a while."""
    return [(one, signing.dumps([str(one.uid), request.facility.pk], salt=FOUND)) for one in people]


def why_mistyped(error: Mistyped) -> str:
    return {
        "length": _(
            "A mobile number has 10 digits, a patient number 12, an ABHA number 14. Count again."
        ),
        "check_digit": _("One digit of this number is wrong. Compare it with the paper once more."),
    }[error.reason]


@require_POST
@with_session(links_of)
@health_worker_only
def here(request: AtCentre) -> HttpResponse:
    """The person found is before the health worker: from now on the centre sees the case.

    With `case` it leads on to a new one.
    """
    try:
        uid, facility = signing.loads(request.POST.get("found", ""), salt=FOUND, max_age=FOUND_FOR)
    except signing.SignatureExpired:
        messages.info(request, _("That search is old. Please search once more."))
        return redirect("consult:centre_find")
    except signing.BadSignature:
        raise Http404 from None
    if facility != request.facility.pk:
        raise Http404
    person = ANYBODY.first(uid=UUID(uid))
    if person is None:
        raise Http404
    accounts.enrol(patient=person, facility=request.facility, by=request.user)
    return _onwards(request, person)


def _onwards(request: AtCentre, person: Patient) -> HttpResponse:
    """To the case that was asked for, or first to what the patient's page has to say."""
    if "case" not in request.POST or _is_to_be_seen(request, person):
        return redirect("consult:centre_patient", patient=person.uid)
    return _case_of(request, person)


def _is_to_be_seen(request: AtCentre, person: Patient) -> bool:
    """A case is on its way from here, or a follow-up is due."""
    if not person.has_cases:  # type: ignore[attr-defined]  # read with the patient
        return False
    here = {"facility": request.facility.pk, "patient": person.pk}
    return any(one.is_open for one in NOT_OVER_HERE.all(**here)) or bool(
        FOLLOW_UPS_HERE.all(**here)
    )


@require_http_methods(["GET", "POST"])
@with_session(links_of, only="POST")
@health_worker_only
def register(request: AtCentre) -> HttpResponse:
    """A new patient. Whoever looks alike is shown first; a second "save" makes the new one."""
    facility = request.facility
    initial = {
        "language": get_language(),
        "state": facility.state_id,
        "district": facility.district_id,
        **{name: request.GET.get(name, "") for name in ("phone", "name", "age")},
    }
    form = CentrePatientForm(request.POST or None, initial=initial)
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, form)
    patient: Patient = form.save(commit=False)
    sure = "sure" in request.POST
    if form.abha_is_doubtful and not sure:
        return _form_page(request, form, status=409, abha_is_doubtful=True)
    try:
        accounts.register_at_centre(
            patient=patient,
            phone=form.cleaned_data["phone"],
            facility=facility,
            by=request.user,
            sure=sure,
        )
    except accounts.LooksAlike as error:
        return _form_page(request, form, status=409, alike=signed(request, error.patients))
    patient.has_cases = False  # type: ignore[attr-defined]  # as it is read with a patient
    return _onwards(request, patient)


def _form_page(
    request: AtCentre, form: CentrePatientForm, status: int = 0, **context: object
) -> HttpResponse:
    status = status or (200 if request.method == "GET" else 422)
    context |= {"form": form, "facility": request.facility}
    return render(request, "consult/centre/register.html", context, status=status)


@require_safe
@health_worker_only
def patient(request: AtCentre, patient: UUID) -> HttpResponse:
    """One person: what is open, what was, and how the vital signs went."""
    person = known_patient(request, patient)
    accounts.record("patient.read", person, by=request.user, patient=person)
    context = {"patient": person, "facility": request.facility}
    if person.has_cases:  # type: ignore[attr-defined]  # read with the patient
        context |= _cases(request, person)
    return render(request, "consult/centre/patient.html", context)


def _cases(request: AtCentre, person: Patient) -> dict[str, Any]:
    """What is not there of somebody who has never asked a doctor here."""
    here = {"facility": request.facility.pk, "patient": person.pk}
    not_over = NOT_OVER_HERE.all(**here)
    return {
        "draft": next((one for one in not_over if not one.is_open), None),
        "open": next((one for one in not_over if one.is_open), None),
        "earlier": EARLIER.all(patient=person.pk),
        "follow_ups": FOLLOW_UPS_HERE.all(**here),
        "trends": trends(person),
    }


@require_POST
@with_session(links_of)
@health_worker_only
def open_case(request: AtCentre, patient: UUID) -> HttpResponse:
    """A case for this patient: the draft that is there, or a new one."""
    person = known_patient(request, patient)
    follow_up = None
    if wanted := request.POST.get("follow_up"):
        ours = FollowUp.objects.of_centre(request.facility).filter(patient=person)
        follow_up = get_or_refuse(ours, FollowUp.objects.all(), request, uid=_uuid(wanted))
    return _case_of(request, person, follow_up)


def _case_of(request: AtCentre, person: Patient, follow_up: FollowUp | None = None) -> HttpResponse:
    try:
        draft = actions.open_case(
            patient=person,
            facility=request.facility,
            by=request.user,
            follow_up=follow_up,
            linked=linked_to_centre(request),
        )
    except actions.NoHub:
        messages.error(
            request,
            _("Your health centre is linked to no hub yet. Your nodal officer makes the links."),
        )
        return redirect("consult:centre_patient", patient=person.uid)
    return redirect("consult:centre_case", consultation=draft.uid)


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise Http404 from None
