"""How a patient stands with ABDM, and who scanned a health centre's square code: as the pages show both."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import Refused, plain
from accounts.api.reading import Input
from accounts.api.shapes import PatientOutput
from accounts.fetch import own_patient
from accounts.gates import get_or_refuse
from accounts.models import Patient
from consult.abdm import sharing, standing
from consult.abdm.standing import Look
from consult.api.centre import AtCentre
from consult.api.records import ConsentOutput, OfGateway, off
from consult.fetch import known_patient
from consult.models import AbdmConsent, Consultation, SharedProfile


class ShownOutput(serializers.Serializer[Consultation]):
    """A completed consultation, and whether the patient's ABHA app shows it."""

    uid = serializers.UUIDField(help_text="Id of the consultation.")
    ended_at = serializers.DateTimeField(help_text="When it was completed.")
    clinic_name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    is_wished = serializers.SerializerMethodField(
        help_text="The patient asked for it: `POST consultations/<uid>/abha-link/`."
    )
    linked_at = serializers.DateTimeField(
        source="care_context.linked_at",
        default=None,
        allow_null=True,
        help_text="Since when the app shows it; null while it does not.",
    )

    def get_is_wished(self, consultation: Consultation) -> bool:
        return hasattr(consultation, "care_context")


class GivenOutput(ConsentOutput):
    """A consent to read records: out of here, or from elsewhere to here."""

    role = serializers.ChoiceField(
        choices=AbdmConsent.Role.choices, help_text="Which side this service is."
    )
    is_in_force = serializers.BooleanField(help_text="Records may be read under it now.")
    requester = serializers.CharField(help_text="Who reads from here; empty where we ask.")
    purpose = serializers.CharField(help_text="What for, in words; may be empty.")
    from_at = serializers.DateTimeField(help_text="Records from then on.")
    to_at = serializers.DateTimeField(help_text="Records until then.")


class LookOutput(serializers.Serializer[Look]):
    """One time that somebody else saw or changed something of this patient."""

    at = serializers.DateTimeField(help_text="When.")
    who = serializers.CharField(help_text="A person's name, or the network.")
    what = serializers.CharField(help_text="In words, in the language of Accept-Language.")
    refused = serializers.BooleanField(help_text="It was tried, and refused.")


class StandingOutput(serializers.Serializer[Any]):
    """How a patient stands with the national network."""

    consultations = ShownOutput(many=True, help_text="Completed ones, newest first; at most 50.")
    consents = GivenOutput(many=True, help_text="Given and asked for, newest first; at most 50.")
    looks = LookOutput(many=True, help_text="Who looked, newest first; at most 50.")


class SharedOutput(serializers.Serializer[SharedProfile]):
    """Somebody who scanned the health centre's square code today: what their ABHA app sent."""

    uid = serializers.UUIDField(help_text="Id of the entry.")
    number = serializers.IntegerField(help_text="The number that their app shows.")
    name = serializers.CharField(help_text="As ABDM knows it.")
    sex = serializers.CharField(help_text="`female`, `male` or `other`.")
    birth_date = serializers.DateField(
        help_text="The middle of the year where `birth_date_is_exact` is false."
    )
    birth_date_is_exact = serializers.BooleanField(help_text="False: only the year is known.")
    phone = serializers.CharField(help_text="May be empty.")
    address = serializers.CharField(help_text="May be empty.")
    state = serializers.IntegerField(
        source="state_id", allow_null=True, help_text="LGD code; null where none was sent."
    )
    abha_address = serializers.CharField(help_text="Such as `name@abdm`.")
    abha_number = serializers.CharField(source="masked_abha", help_text="Its last digits.")
    is_known = serializers.BooleanField(help_text="A patient has this ABHA, by the gateway's word.")


class TakeInInput(Input):
    """Who this is."""

    patient = serializers.UUIDField(
        required=False,
        help_text="Id of a patient whom this health centre knows: registered or enrolled before."
        " Left out where the entry `is_known`.",
    )


class Standing(OfGateway):
    """How a patient stands with the national network."""

    outputs = {"GET": StandingOutput}
    refusals = ["gateway_off"]

    def get(self, request: Request, patient: UUID) -> Response:
        """What the patient's ABHA app shows, who may read their records, and who looked."""
        here = plain(request)
        found = own_patient(here, patient)
        record("abdm.standing", found, by=here.user, patient=found)
        return self.answer(
            {
                "consultations": standing.shown_elsewhere(found),
                "consents": standing.consents_of(found),
                "looks": standing.looks_at(found),
            }
        )


class Shared(AtCentre):
    """Who scanned the square code today and is not taken in yet."""

    tag = "centre"
    outputs = {"GET": SharedOutput}
    lists = {"GET"}
    refusals = ["gateway_off"]
    is_polled = True

    def get(self, request: Request) -> Response:
        """In the order of their numbers."""
        off(request)
        facility = self.here.facility
        record("abdm.share_list", f"facility:{facility.pk}", by=self.here.user)
        return self.answer(list(sharing.with_known(sharing.waiting_at(facility))))


class TakenIn(AtCentre):
    """One of them is before the health worker."""

    tag = "centre"
    inputs = {"POST": TakeInInput}
    outputs = {"POST": PatientOutput}
    refusals = ["gateway_off", "not_known", "taken"]

    def post(self, request: Request, shared: UUID) -> Response:
        """This is the patient who scanned the code: enrolled here, and their ABHA is known from now on."""
        off(request)
        typed = self.read()
        everybody = SharedProfile.objects.select_related("facility")
        ours = everybody.filter(facility=self.here.facility)
        entry = get_or_refuse(ours, everybody, self.here, uid=shared)
        patient = self._patient(entry, typed.get("patient"))
        try:
            sharing.take(entry=entry, patient=patient, by=self.here.user)
        except sharing.Taken:
            raise Refused("taken", _("A colleague has taken this patient in already.")) from None
        return self.answer(patient)

    def _patient(self, entry: SharedProfile, chosen: UUID | None) -> Patient:
        if known := sharing.known_as(entry):
            return known
        if chosen is None:
            words = _("Nobody is known by this ABHA. Find or register the patient first.")
            raise Refused("not_known", words)
        return known_patient(self.here, chosen)
