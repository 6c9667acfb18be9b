"""The people of an account: shown, registered, changed."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts.actions.patients import alike_in_account
from accounts.forms import PatientForm, state_code
from accounts.gates import SignedIn, get_or_refuse, noticed
from accounts.models import District, Patient


@require_safe
@noticed
def patients(request: SignedIn) -> HttpResponse:
    """The people of this account."""
    actions.record("patients.list", "own", by=request.user)
    people = Patient.objects.of(request.user).select_related("state", "district")
    return render(request, "accounts/patients.html", {"patients": people})


@require_http_methods(["GET", "POST"])
@noticed
def new_patient(request: SignedIn) -> HttpResponse:
    """Register somebody. Likely duplicates are shown first; a second "save" makes the new one."""
    form = PatientForm(request.POST or None, initial={"language": get_language()})
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, form)
    patient: Patient = form.save(commit=False)
    patient.account = request.user
    sure = "sure" in request.POST
    if form.abha_is_doubtful and not sure:
        alike = alike_in_account(patient)
        return _form_page(request, form, status=409, abha_is_doubtful=True, alike=alike)
    try:
        actions.register_patient(patient=patient, by=request.user, sure=sure)
    except actions.LooksAlike as error:
        return _form_page(request, form, status=409, alike=error.patients)
    return redirect("queue:clinics", patient=patient.uid)


@require_http_methods(["GET", "POST"])
@noticed
def edit_patient(request: SignedIn, patient: UUID) -> HttpResponse:
    found = get_or_refuse(
        Patient.objects.of(request.user), Patient.objects.all(), request, uid=patient
    )
    form = PatientForm(
        request.POST or None,
        instance=found,
        initial={} if found.birth_date_is_exact else {"birth_date": None, "age": found.age},
    )
    if request.method == "GET":
        actions.record("patient.read", found, by=request.user, patient=found)
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, form, patient=found)
    if form.abha_is_doubtful and "sure" not in request.POST:
        return _form_page(request, form, status=409, patient=found, abha_is_doubtful=True)
    actions.update_patient(patient=form.save(commit=False), by=request.user)
    return redirect("accounts:patients")


@require_safe
def districts(request: HttpRequest) -> HttpResponse:
    """The districts of one state as options, for the form's script."""
    found = District.objects.filter(state=state_code(request.GET.get("state", "")))
    return render(request, "accounts/_districts.html", {"districts": found})


def _form_page(
    request: SignedIn, form: PatientForm, status: int = 0, **context: object
) -> HttpResponse:
    status = status or (200 if request.method == "GET" else 422)
    return render(request, "accounts/patient_form.html", {"form": form, **context}, status=status)
