"""The outpatient clinics of a state, as they stand."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import SignedIn, get_or_refuse, noticed
from accounts.models import Patient, State
from queues.line import standings
from queues.models import Clinic


@require_safe
@noticed
def clinics(request: SignedIn, patient: UUID) -> HttpResponse:
    """The clinics of a state as they stand, before anything is asked of the patient."""
    person = get_or_refuse(
        Patient.objects.of(request.user).select_related("state"),
        Patient.objects.all(),
        request,
        uid=patient,
    )
    states = State.objects.filter(clinics__is_active=True, clinics__takes_opd=True).distinct()
    state = _chosen(request.GET.get("state", ""), states, person)
    there = Clinic.objects.filter(state=state, is_active=True, takes_opd=True)
    found = list(there.select_related("speciality", "district").prefetch_related("hours"))
    context = {
        "patient": person,
        "states": states,
        "state": state,
        "standings": standings(found, person),
    }
    return render(request, "queue/clinics.html", context)


def _chosen(code: str, states: Iterable[State], person: Patient) -> State | None:
    """The state asked for, else the patient's own, else the first with a clinic."""
    by_code = {str(state.pk): state for state in states}
    return (
        by_code.get(code) or by_code.get(str(person.state_id)) or next(iter(by_code.values()), None)
    )
