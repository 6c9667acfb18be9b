"""A case that waits, as the health centre's page shows it: whose turn it is."""

from typing import Any

from django.utils.safestring import SafeString

from accounts.gates import AtCentre
from consult.models import Consultation
from consult.of_consultation import INSTRUCTIONS
from consult.views.centre.stands import stands
from queues.assignment import linked_clinics
from queues.counts import Counts, count
from queues.line import read_line, standings
from queues.models import Clinic, KeptApart, Presence, Token


def turn_of(
    request: AtCentre, found: Consultation, linked: list[Clinic] | None = None
) -> dict[str, Any]:
    """The place, the call, and what the doctor asks: all that moves while the case waits.

    `linked` are the linked clinics, where they were read with the page.
    """
    token = found.token
    context: dict[str, Any] = {
        "consultation": found,
        "token": token,
        "instructions": INSTRUCTIONS.of(found),
        **screen_of(request, found),
    }
    if token is None:
        return context | {"others": _elsewhere(found, _others(request, found, linked))}
    Presence.renew([token.pk])
    token.clinic = found.clinic
    if token.state == Token.State.CALLED:
        if token.doctor_id == found.doctor_id:
            token.doctor = found.doctor
        return context | {"is_called": True}
    others = _others(request, found, linked)
    now = count([found.clinic_id, *(one.pk for one in others)], found.patient)
    place = _place(found, token, now[found.clinic_id])
    return context | place | {"others": _elsewhere(found, others, now)}


def screen_of(request: AtCentre, found: Consultation) -> dict[str, Any]:
    """The patient sits here: the call is on this screen, not on a colleague's."""
    token = found.token
    return {"is_my_screen": token is not None and token.brought_by_id == request.user.pk}


def _others(request: AtCentre, found: Consultation, linked: list[Clinic] | None) -> list[Clinic]:
    clinics = linked_clinics(request.facility) if linked is None else linked
    return [one for one in clinics if one != found.clinic]


def _elsewhere(
    found: Consultation, others: list[Clinic], now: dict[int, Counts] | None = None
) -> list[tuple[Clinic, SafeString]]:
    """The other linked clinics that take the patient now, and how they stand."""
    there = [one for one in standings(others, found.patient, now) if one.takes_patients]
    return [(one.clinic, stands(one)) for one in there]


def _place(found: Consultation, token: Token, now: Counts) -> dict[str, Any]:
    line = read_line(found.clinic, found.patient, now)
    ahead = line.ahead_of(token.pk)
    return {
        "ahead": ahead,
        "wait": line.wait(ahead) if ahead is not None else None,
        "doctors": line.doctors,
        "is_parted": not line.doctors and KeptApart.of_patient(found.patient).exists(),
    }
