"""Who is before the health worker: found, registered, enrolled, and what is known of them here."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions as accounts
from accounts.actions import record
from accounts.api.base import Refused, cleaned
from accounts.api.patients import doubtful_abha, looks_alike
from accounts.api.shapes import PatientOutput
from accounts.finding import Mistyped, find_by_name, find_by_number
from accounts.models import Patient, RateLimit
from consult.api.centre import AtCentre
from consult.api.centre_shapes import (
    CentrePatientInput,
    EnrolInput,
    FindInput,
    FoundOutput,
    KnownOutput,
    TrendOutput,
)
from consult.fetch import known_patient
from consult.forms import CentrePatientForm, FindForm
from consult.models import Consultation, FollowUp
from consult.of_patient import EARLIER_SHOWN
from consult.trends import trends
from consult.views.centre.patients import (
    FOUND,
    FOUND_FOR,
    SEARCHES_AN_HOUR,
    why_mistyped,
)


class Find(AtCentre):
    """Looking for a patient."""

    tag = "centre"
    inputs = {"POST": FindInput}
    outputs = {"POST": FoundOutput}
    lists = {"POST"}

    def post(self, request: Request) -> Response:
        """By a number that the patient carries, or by name, age and village: all three.

        At most 20 people, each with a key that enrols them here. In the body, so that no name or
        number stands in a log of addresses. Every search is written down.
        """
        form = FindForm(self.read())
        asked = cleaned(form)
        self._limit()
        record("patients.find", f"facility:{self.here.facility.pk}", by=self.here.user)
        try:
            people = list(
                find_by_number(asked["number"])
                if asked["number"].strip()
                else find_by_name(
                    name=asked["name"],
                    age=asked["age"],
                    village=asked["village"],
                    state=self.here.facility.state,
                )
            )
        except Mistyped as error:
            raise ValidationError({"number": [why_mistyped(error)]}) from None
        return self.answer(signed(self.here, people))

    def _limit(self) -> None:
        hour, who = timedelta(hours=1), str(self.here.user.pk)
        if wait := RateLimit.hit("centre.find", who, limit=SEARCHES_AN_HOUR, window=hour):
            refused = Refused("too_many", _("Too many tries. Wait a little."), 429)
            refused.wait = wait  # type: ignore[attr-defined]
            raise refused


def signed(here: Any, people: list[Patient]) -> list[Patient]:
    """Each with the key that enrols them at this health centre for a while."""
    for one in people:
        one.found = signing.dumps([str(one.uid), here.facility.pk], salt=FOUND)  # type: ignore[attr-defined]
    return people


class Enrol(AtCentre):
    """The person found is here."""

    tag = "centre"
    inputs = {"POST": EnrolInput}
    outputs = {"POST": PatientOutput}
    refusals = ["old_search"]

    def post(self, request: Request) -> Response:
        """The person found is before the health worker: from now on the centre sees the case."""
        typed = self.read()
        try:
            uid, facility = signing.loads(typed["found"], salt=FOUND, max_age=FOUND_FOR)
        except signing.SignatureExpired:
            words = _("That search is old. Please search once more.")
            raise Refused("old_search", words) from None
        except signing.BadSignature:
            raise Http404 from None
        if facility != self.here.facility.pk:
            raise Http404
        person = get_object_or_404(Patient.objects.select_related("state"), uid=uid)
        accounts.enrol(patient=person, facility=self.here.facility, by=self.here.user)
        return self.answer(person)


class CentrePatients(AtCentre):
    """Whom this health centre has had before it."""

    tag = "centre"
    inputs = {"POST": CentrePatientInput}
    outputs = {"GET": PatientOutput, "POST": PatientOutput}
    statuses = {"POST": 201}
    refusals = ["looks_alike", "doubtful_abha"]
    is_paged = True

    def get(self, request: Request) -> Response:
        """Patients who were enrolled here, newest first."""
        record("patients.list", f"facility:{self.here.facility.pk}", by=self.here.user)
        return self.paged(Patient.objects.known_at(self.here.facility))

    def post(self, request: Request) -> Response:
        """Register and enrol a new patient, under the account of their own number.

        `looks_alike`: `details.people` are perhaps the same person; enrol them by their `found`, or
        say `sure` to register a new one.
        """
        typed = self.read()
        form = CentrePatientForm(typed)
        cleaned(form)
        if form.abha_is_doubtful and not typed["sure"]:
            raise doubtful_abha()
        try:
            saved = accounts.register_at_centre(
                patient=form.save(commit=False),
                phone=form.cleaned_data["phone"],
                facility=self.here.facility,
                by=self.here.user,
                sure=typed["sure"],
            )
        except accounts.LooksAlike as error:
            alike: Any = signed(self.here, error.patients)
            raise looks_alike(FoundOutput(alike, many=True).data) from None
        return self.answer(saved, 201)


class KnownPatient(AtCentre):
    """One person whom this health centre knows."""

    tag = "centre"
    outputs = {"GET": KnownOutput}
    is_polled = True

    def get(self, request: Request, patient: UUID) -> Response:
        """What is open here, what was, what is due, and how the vital signs went."""
        person = known_patient(self.here, patient)
        record("patient.read", person, by=self.here.user, patient=person)
        ours = Consultation.objects.with_people().of_centre(self.here.facility)
        ours = ours.filter(patient=person)
        seen = Consultation.objects.filter(patient=person).exclude(state=Consultation.State.DRAFT)
        due = FollowUp.objects.of_centre(self.here.facility).open().filter(patient=person)
        earlier = seen.select_related("clinic", "doctor__user", "note").order_by("-created_at")
        return self.answer(
            {
                "patient": person,
                "draft": ours.filter(state=Consultation.State.DRAFT).first(),
                "open": ours.open().first(),
                "earlier": earlier[:EARLIER_SHOWN],
                "follow_ups": due.select_related("patient", "consultation"),
                "trends": TrendOutput(trends(person), many=True).data,
            }
        )
