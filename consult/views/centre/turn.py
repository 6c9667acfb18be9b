"""A case that waits, as the health centre's page shows it: whose turn it is."""

from typing import Any

from django.utils.safestring import SafeString

from accounts.gates import AtCentre
from consult.models import Consultation
from consult.of_consultation import INSTRUCTIONS
from consult.views.centre.stands import stands
from queues.assignment import linked_clinics
from queues.line import read_line, standings
from queues.models import Clinic, KeptApart, Presence, Token


def turn_of(request: AtCentre, found: Consultation) -> dict[str, Any]:
    """The place, the call, and what the doctor asks: all that moves while the case waits."""
    token = found.token
    context: dict[str, Any] = {
        "consultation": found,
        "token": token,
        "instructions": INSTRUCTIONS.all(consultation=found.pk),
        **screen_of(request, found),
    }
    if token is None:
        return context | {"others": _elsewhere(request, found)}
    Presence.renew([token.pk])
    token.clinic = found.clinic
    if token.state == Token.State.CALLED:
        if token.doctor_id == found.doctor_id:
            token.doctor = found.doctor
        return context | {"is_called": True}
    return context | _place(request, found, token) | {"others": _elsewhere(request, found)}


def screen_of(request: AtCentre, found: Consultation) -> dict[str, Any]:
    """The patient sits here: the call is on this screen, not on a colleague's."""
    token = found.token
    return {"is_my_screen": token is not None and token.brought_by_id == request.user.pk}


def _elsewhere(request: AtCentre, found: Consultation) -> list[tuple[Clinic, SafeString]]:
    """The other linked clinics that take the patient now, and how they stand."""
    others = [one for one in linked_clinics(request.facility) if one != found.clinic]
    there = [one for one in standings(others, found.patient) if one.takes_patients]
    return [(one.clinic, stands(one)) for one in there]


def _place(request: AtCentre, found: Consultation, token: Token) -> dict[str, Any]:
    line = read_line(found.clinic, found.patient)
    ahead = line.ahead_of(token.pk)
    return {
        "ahead": ahead,
        "wait": line.wait(ahead) if ahead is not None else None,
        "doctors": line.doctors,
        "is_parted": not line.doctors and KeptApart.of_patient(found.patient).exists(),
    }
