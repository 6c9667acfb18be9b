from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.address import current_address
from accounts.models import RateLimit, User
from consult import actions
from consult.forms import CheckForm, GrievanceForm
from consult.models import Prescription

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
    """Valid, replaced or unknown; by whom and when. Never the patient or the medicines."""
    if refused := _too_many(request, "checks from", CHECKS_PER_ADDRESS):
        return refused
    found = (
        Prescription.objects.exclude(state=Prescription.State.DRAFT)
        .filter(check_code=code.upper().replace("-", ""))
        .first()
    )
    context = {"prescription": found, "code": code}
    return render(request, "consult/checked.html", context, status=200 if found else 404)


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
