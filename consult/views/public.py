"""Pages for anybody: whether a prescription is true, and complaints."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.address import current_address
from accounts.models import RateLimit, User
from consult import actions
from consult.checking import dispensed_state, find_prescription, public_keys, standing_of
from consult.forms import CheckForm, GrievanceForm

CHECKS_PER_ADDRESS = 60  # an hour: many for a pharmacy, few for somebody who guesses
GRIEVANCES_PER_ADDRESS = 10


def _too_many(request: HttpRequest, what: str, limit: int) -> HttpResponse | None:
    hour = timedelta(hours=1)
    if not RateLimit.hit(what, current_address() or "", limit=limit, window=hour):
        return None
    return render(request, "errors/too_many.html", status=429)


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Type the code of a paper prescription."""
    form = CheckForm(request.GET if "code" in request.GET else None)
    if form.is_valid():
        return redirect("consult:checked", code=form.cleaned_data["code"])
    return render(request, "consult/check.html", {"form": form})


@require_safe
def checked(request: HttpRequest, code: str) -> HttpResponse:
    """Valid, replaced, altered or unknown; by whom and when, how many medicines, given out or not.

    Never the patient or the medicines.
    """
    if refused := _too_many(request, "checks from", CHECKS_PER_ADDRESS):
        return refused
    found = find_prescription(code)
    if found is None:
        return render(request, "consult/checked.html", {"code": code}, status=404)
    context = {
        "prescription": found,
        "standing": standing_of(found),
        "medicines": len((found.document or {})["lines"]),
        "dispensed": dispensed_state(found),
    }
    return render(request, "consult/checked.html", context)


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys that prescriptions are signed with."""
    return JsonResponse({"keys": public_keys()})


@require_http_methods(["GET", "POST"])
def grievance(request: HttpRequest) -> HttpResponse:
    """Complain, with or without an account."""
    user = request.user if isinstance(request.user, User) else None
    form = GrievanceForm(request.POST or None, initial={"phone": user.phone if user else ""})
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        return render(request, "consult/grievance.html", {"form": form}, status=status)
    if refused := _too_many(request, "grievances from", GRIEVANCES_PER_ADDRESS):
        return refused
    filed = actions.complain(grievance=form.save(commit=False), by=user)
    return render(request, "consult/grievance_filed.html", {"grievance": filed}, status=201)
