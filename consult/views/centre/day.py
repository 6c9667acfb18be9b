"""The health centre's first page: its day."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import event, record
from accounts.gates import FACILITY_SESSION_KEY, AtCentre, health_worker_only
from consult import actions
from consult.abdm import gateway, sharing
from consult.day import Day, look_at, read_lines, rows_of
from consult.fetch import centres_consultation, found_of_centre, with_session
from consult.live.centre_tips import news_of, read_centre
from consult.models import Consultation
from consult.views.centre.stands import hub
from esanjeevani.sql.composed import inserting
from queues.assignment import links_of
from queues.counts import count_linked
from queues.line import standings
from queues.models import MoveRefused

# The news first: what comes between is fetched once more.
DAY = (news_of, look_at, links_of, count_linked)


@require_safe
@with_session(*DAY)
@health_worker_only
def day(request: AtCentre) -> HttpResponse:
    """The health centre's desk: what came back, who is called, who waits, what is due."""
    context = _rows(request) | {"facilities": request.facilities}
    return render(request, "consult/centre/day.html", context)


@require_safe
@with_session(*DAY)
@health_worker_only
def day_part(request: AtCentre) -> HttpResponse:
    """The part of the desk that moves."""
    return render(request, "consult/centre/_day.html", _rows(request))


def _rows(request: AtCentre) -> dict[str, Any]:
    told, look, linked, counts = found_of_centre(request, *DAY)
    seen = event("centre.read", f"facility:{request.facility.pk}", by=request.user)
    return {
        "facility": request.facility,
        "news": " ".join(told.news),
        "day": rows_of(look, counts, inserting(seen)),
        "hubs": [hub(standing) for standing in standings(linked, counts=counts)],
        "shared": sharing.waiting_at(request.facility) if gateway.is_on() else [],
    }


@require_safe
@health_worker_only
def others(request: AtCentre, consultation: UUID) -> HttpResponse:
    """Everybody who waits or is called, to be watched from the page of another one."""
    found = centres_consultation(request, consultation)
    return render(request, "consult/centre/_chips.html", others_beside(request, found))


def others_beside(request: AtCentre, here: Consultation) -> dict[str, Any]:
    """All other open cases, as the page of one shows them. Nothing is asked where it was read with that
    one that there is none."""
    if not getattr(here, "has_others", True):
        return {"news": "", "day": Day()}
    news = read_centre(request.facility.pk).besides(here.pk)
    if not news:
        return {"news": "", "day": Day()}
    record("centre.read", f"facility:{request.facility.pk}", by=request.user)
    return {"news": " ".join(news), "day": read_lines(request.facility, besides=here)}


@require_POST
@health_worker_only
def choose_facility(request: AtCentre) -> HttpResponse:
    """At which of their health centres the health worker sits today."""
    wanted = request.POST.get("facility", "")
    if wanted in {str(one.pk) for one in request.facilities}:
        request.session[FACILITY_SESSION_KEY] = int(wanted)
    return redirect("consult:centre")


@require_POST
@health_worker_only
def settle(request: AtCentre, consultation: UUID) -> HttpResponse:
    """What came back is dealt with: it is not sent again."""
    found = centres_consultation(request, consultation)
    with suppress(MoveRefused):  # a colleague did, or it was sent again
        actions.settle(consultation=found, by=request.user)
    return redirect("consult:centre")
