"""ABDM, as people use it: verify an ABHA, offer a consultation, ask for records elsewhere."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import TooMany, record
from accounts.api.base import ApiView, Nothing, Refused, plain
from accounts.api.reading import Input
from accounts.api.shapes import PatientOutput
from accounts.api.signing_in import refused
from accounts.fetch import own_patient
from consult.abdm import abha, asking, gateway, holding, receiving
from consult.api.base import DoctorsVerb, OfConsultation
from consult.fetch import own_consultation
from consult.models import AbdmConsent, AbdmRecord


class VerifyInput(Input):
    """The code that ABDM sent."""

    transaction = serializers.CharField(
        max_length=64, help_text="As `POST abha/code/` answered it."
    )
    code = serializers.CharField(max_length=8, help_text="The digits of the newest SMS.")


class TransactionOutput(serializers.Serializer[Any]):
    """That ABDM has sent a code."""

    transaction = serializers.CharField(help_text="To be sent back with the code.")


class AskInput(Input):
    """How far back records are asked for."""

    since = serializers.DateField(help_text="Records from this day on.")


class ConsentOutput(serializers.Serializer[AbdmConsent]):
    """A patient's consent to show records from elsewhere."""

    uid = serializers.UUIDField(help_text="Id of the consent.")
    state = serializers.ChoiceField(
        choices=AbdmConsent.State.choices, help_text="What the patient has decided so far."
    )
    hi_types = serializers.ListField(
        child=serializers.CharField(), help_text="Kinds of records, by ABDM's names."
    )
    expires_at = serializers.DateTimeField(
        help_text="Until when they may be shown; then they are erased."
    )


class RecordOutput(serializers.Serializer[AbdmRecord]):
    """One document from elsewhere."""

    uid = serializers.UUIDField(help_text="Id of the document.")
    received_at = serializers.DateTimeField(help_text="When it came.")
    expires_at = serializers.DateTimeField(
        source="consent.expires_at", help_text="When it will be erased."
    )
    bundle = serializers.DictField(help_text="The FHIR document, as it came.")


class OfGateway(ApiView):
    """Needs the national gateway; `gateway_off` where it is not in use."""

    refusals = ["gateway_off", "gateway_away", "gateway_refused"]
    tag = "abdm"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in self.allowed_methods:  # else it is answered with 405
            off(request)


def off(_request: Request) -> None:
    if not gateway.is_on():
        raise Refused("gateway_off", _("The national health-records service is not in use here."))


def _away(error: Exception) -> Refused:
    if isinstance(error, gateway.GatewayAway):
        words = _("The national health-records service does not answer. Try again later.")
        return Refused("gateway_away", words)
    return Refused("gateway_refused", _("The national health-records service said no."))


class AbhaCode(OfGateway):
    inputs = {"POST": Nothing}
    outputs = {"POST": TransactionOutput}
    refusals = [*OfGateway.refusals, "no_abha"]

    def post(self, request: Request, patient: UUID) -> Response:
        """A code by SMS to the number that the patient's ABHA is registered with."""
        self.read()
        found = own_patient(plain(request), patient)
        try:
            transaction = abha.ask_for_code(patient=found, by=plain(request).user)
        except TooMany as error:
            raise refused(error) from None
        except ValueError:
            words = _("The patient has no ABHA number, or its check digit does not fit.")
            raise Refused("no_abha", words) from None
        except (gateway.GatewayAway, gateway.GatewayRefused) as error:
            raise _away(error) from None
        return self.answer({"transaction": transaction})


class AbhaVerified(OfGateway):
    inputs = {"POST": VerifyInput}
    outputs = {"POST": PatientOutput}
    refusals = [*OfGateway.refusals, "not_theirs"]

    def post(self, request: Request, patient: UUID) -> Response:
        """The code: the ABHA is verified when number, year of birth and sex agree."""
        typed = self.read()
        found = own_patient(plain(request), patient)
        try:
            verified = abha.verify(
                patient=found,
                transaction_id=typed["transaction"],
                code=typed["code"],
                by=plain(request).user,
            )
        except abha.NotTheirs:
            words = _("This ABHA belongs to somebody else, or the birth year differs.")
            raise Refused("not_theirs", words) from None
        except (gateway.GatewayAway, gateway.GatewayRefused) as error:
            raise _away(error) from None
        return self.answer(verified)


class Linked(OfConsultation):
    inputs = {"POST": Nothing}
    refusals = ["gateway_off", "not_verified", "not_completed"]
    tag = "abdm"

    def post(self, request: Request, consultation: UUID) -> Response:
        """Offer a completed consultation to the patient's ABHA, by the patient's own wish."""
        off(request)
        self.read()
        found = own_consultation(plain(request), consultation)
        try:
            holding.link(consultation=found, by=plain(request).user)
        except holding.NotVerified:
            raise Refused("not_verified", _("Verify the ABHA first.")) from None
        except ValueError:
            raise Refused("not_completed", _("The consultation is not complete.")) from None
        return Response(status=204)


class Asked(DoctorsVerb):
    inputs = {"POST": AskInput}
    outputs = {"GET": ConsentOutput, "POST": ConsentOutput}
    statuses = {"POST": 201}
    refusals = ["gateway_off", "not_verified"]
    lists = {"GET"}
    tag = "abdm"

    def get(self, request: Request, consultation: UUID) -> Response:
        """The consents that were asked of this patient, newest first."""
        patient = self.found(request, consultation).patient
        asked = AbdmConsent.objects.filter(patient=patient, role=AbdmConsent.Role.HIU)
        return self.answer(list(asked[:50]))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Ask the patient, on their own phone, for their records elsewhere."""
        off(request)
        found = self.found(request, consultation)
        day = self.read()["since"]
        since = timezone.make_aware(datetime.combine(day, time(0)))
        try:
            consent = asking.ask_consent(patient=found.patient, doctor=self.doctor, since=since)
        except asking.NoAddress:
            raise Refused("not_verified", _("Verify the ABHA first.")) from None
        return self.answer(consent, 201)


class Received(DoctorsVerb):
    """Records that came from elsewhere."""

    outputs = {"GET": RecordOutput}
    lists = {"GET"}
    tag = "abdm"
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, consultation: UUID) -> Response:
        """What came from elsewhere under a consent in force, to the treating doctor alone."""
        found = self.found(request, consultation)
        rows = list(receiving.records_in_force(found.patient)[:100])
        record("abdm.read", found, by=self.doctor.user, patient=found.patient)
        return self.answer(rows)
