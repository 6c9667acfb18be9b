"""The people of an account, and where people live."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.api.base import ApiView, Refused, cleaned, plain
from accounts.api.shapes import DistrictOutput, PatientInput, PatientOutput, StateOutput
from accounts.api.who import IsPerson
from accounts.fetch import own_patient
from accounts.forms import PatientForm
from accounts.models import Patient, State


class States(ApiView):
    """States and union territories."""

    permission_classes = [IsPerson]
    outputs = {"GET": StateOutput}
    lists = {"GET"}
    is_polled = True

    def get(self, request: Request) -> Response:
        """All states and union territories, by name."""
        return self.answer(list(State.objects.order_by("name")))


class Districts(ApiView):
    """The districts of one state."""

    permission_classes = [IsPerson]
    outputs = {"GET": DistrictOutput}
    lists = {"GET"}
    is_polled = True
    tag = "states"

    def get(self, request: Request, state: int) -> Response:
        """The districts of one state, by name."""
        found = (
            get_object_or_404(State, pk=state) if state < 32768 else get_object_or_404(State, pk=0)
        )
        return self.answer(list(found.districts.order_by("name")))


class Patients(ApiView):
    """The people of this account."""

    inputs = {"POST": PatientInput}
    outputs = {"GET": PatientOutput, "POST": PatientOutput}
    statuses = {"POST": 201}
    refusals = ["looks_alike", "doubtful_abha"]
    lists = {"GET"}

    def get(self, request: Request) -> Response:
        """Everybody who is treated under this account, oldest entry first."""
        return self.answer(list(Patient.objects.of(plain(request).user)[:200]))

    def post(self, request: Request) -> Response:
        """Register a person. `looks_alike`: perhaps they are registered; say `sure` to go on."""
        typed = self.read()
        form = patient_form(typed)
        try:
            saved = actions.register_patient(
                patient=form.save(commit=False), by=plain(request).user, sure=typed["sure"]
            )
        except actions.LooksAlike as error:
            people = [{"uid": str(one.uid), "name": one.name} for one in error.patients]
            raise looks_alike(people) from None
        return self.answer(saved, 201)


class OnePatient(ApiView):
    """One person of this account."""

    tag = "patients"
    inputs = {"PUT": PatientInput}
    outputs = {"GET": PatientOutput, "PUT": PatientOutput}
    refusals = ["doubtful_abha"]

    def get(self, request: Request, patient: UUID) -> Response:
        """One person of this account."""
        return self.answer(own_patient(plain(request), patient))

    def put(self, request: Request, patient: UUID) -> Response:
        """Change what is known. What was printed on earlier prescriptions stays as it was."""
        found = own_patient(plain(request), patient)
        form = patient_form(self.read(), found)
        saved = actions.update_patient(patient=form.save(commit=False), by=plain(request).user)
        return self.answer(saved)


def patient_form(typed: dict[str, Any], patient: Patient | None = None) -> PatientForm:
    """The pages' own form, with its rules. Raises ValidationError; Refused for a doubtful ABHA."""
    form = PatientForm(typed, instance=patient)
    cleaned(form)
    if form.abha_is_doubtful and not typed["sure"]:
        raise doubtful_abha()
    return form


def doubtful_abha() -> Refused:
    words = _("The check digit of the ABHA number does not fit. Compare it with the card.")
    return Refused("doubtful_abha", words)


def looks_alike(people: Any) -> Refused:
    words = _("Perhaps this person is registered already.")
    return Refused("looks_alike", words, details={"people": people})
