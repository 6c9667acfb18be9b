"""A case that waits, as the health centre's page shows it: whose turn it is."""

from typing import Any

from django.utils.safestring import SafeString

from accounts.gates import AtCentre
from consult.live.tips import instructions_version
from consult.models import Consultation
from consult.of_consultation import INSTRUCTIONS
from consult.views.centre.stands import stands
from esanjeevani.sql.composed import Question, together
from queues.assignment import links_of
from queues.counts import Counts, count_linked
from queues.line import IN_LINE, read_line, standings
from queues.models import Clinic, KeptApart, Presence, Token


def turn_of(request: AtCentre, found: Consultation, first: Question) -> tuple[Any, dict[str, Any]]:
    """The place, the call, and what the doctor asks: all that moves while the case waits.

    In one trip, and `first` with it: its answer comes before the rest.
    """
    token, facility = found.token, request.facility.pk
    elsewhere = links_of(facility), count_linked(facility, found.patient, found.clinic_id)
    context: dict[str, Any] = {
        "consultation": found,
        "token": token,
        **asked_of(found),
        **screen_of(request, found),
    }
    if token is None:
        answer, linked, now = together(first, *elsewhere)
        return answer, context | {"others": _others(found, linked, now)}
    token.clinic = found.clinic
    if token.state == Token.State.CALLED:
        if token.doctor_id == found.doctor_id:
            token.doctor = found.doctor
        answer, _renewed = together(first, Presence.renewing(token.pk))
        return answer, context | {"is_called": True}
    line = Presence.renewing(token.pk), IN_LINE.asked(clinic=found.clinic_id)
    answer, _renewed, in_line, linked, now = together(first, *line, *elsewhere)
    place = _place(found, token, now[found.clinic_id], in_line)
    return answer, context | place | {"others": _others(found, linked, now)}


def asked_of(found: Consultation) -> dict[str, Any]:
    """What the doctor asks the health worker to do."""
    instructions = INSTRUCTIONS.of(found)
    return {
        "instructions": instructions,
        "instructions_version": instructions_version(instructions),
    }


def screen_of(request: AtCentre, found: Consultation) -> dict[str, Any]:
    """The patient sits here: the call is on this screen, not on a colleague's."""
    token = found.token
    return {"is_my_screen": token is not None and token.brought_by_id == request.user.pk}


def _others(
    found: Consultation, linked: list[Clinic], now: dict[int, Counts]
) -> list[tuple[Clinic, SafeString]]:
    """The other linked clinics that take the patient now, and how they stand."""
    others = [one for one in linked if one != found.clinic]
    there = [one for one in standings(others, found.patient, now) if one.takes_patients]
    return [(one.clinic, stands(one)) for one in there]


def _place(found: Consultation, token: Token, now: Counts, in_line: list[Any]) -> dict[str, Any]:
    line = read_line(found.clinic, found.patient, now, in_line)
    ahead = line.ahead_of(token.pk)
    return {
        "ahead": ahead,
        "wait": line.wait(ahead) if ahead is not None else None,
        "doctors": line.doctors,
        "is_parted": not line.doctors and KeptApart.of_patient(found.patient).exists(),
    }
