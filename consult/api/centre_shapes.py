"""What the API reads and answers at a health centre."""

from typing import Any

from rest_framework import serializers

from accounts.api.base import Input
from accounts.api.shapes import LANGUAGE, PatientInput, PatientOutput
from accounts.models import Patient
from consult.api.shapes import ConsultationOutput, EarlierOutput, VitalsShape, words
from consult.models import Consent, Consultation, Dispensing, FollowUp
from queues.api.shapes import ClinicOutput


class CaseOpenInput(Input):
    patient = serializers.UUIDField()
    follow_up = serializers.UUIDField(required=False)


class CaseInput(Input):
    revision = serializers.IntegerField(min_value=0, help_text="The one that was read.")
    complaint = words(2000)
    since = serializers.ChoiceField(
        choices=Consultation.Since.choices, required=False, allow_blank=True
    )
    history = words(2000)
    family_history = words(500)
    allergies = words(500)
    medicines = words(500)
    is_pregnant = serializers.BooleanField(default=False)
    lmp = serializers.DateField(required=False, allow_null=True)
    is_disabled = serializers.BooleanField(default=False)
    examination = words(2000)
    impression = words(300)
    is_emergency = serializers.BooleanField(default=False)
    vitals = VitalsShape(required=False)


class SendInput(Input):
    clinic = serializers.UUIDField()
    proposed = serializers.UUIDField(required=False, help_text="The clinic that was proposed.")
    because = words(300, help_text="Needed for another clinic than the one proposed.")
    is_written = serializers.BooleanField(default=False, help_text="To be answered in writing.")
    how = serializers.ChoiceField(choices=Consent.How.choices, default=Consent.How.SPOKEN)
    consent = serializers.BooleanField()
    language = LANGUAGE
    is_present = serializers.BooleanField(help_text="The patient is with the health worker now.")
    phone = serializers.ChoiceField(
        choices=["patient", "centre"],
        allow_blank=True,
        default="",
        help_text="At whose number the doctor may phone if the call breaks off; empty for neither.",
    )


class MoveInput(Input):
    clinic = serializers.UUIDField()
    because = words(300)


class PhoneInCallInput(Input):
    may_join = serializers.BooleanField(
        help_text="Said by the patient, to the health worker at whose screen the patient sits."
    )


class InstructionInput(Input):
    words = serializers.CharField(max_length=300)


class InstructionAnswerInput(Input):
    answer = words(300)


class InstructionOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    words = serializers.CharField()
    asked_at = serializers.DateTimeField()
    answer = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)


class FollowUpInput(Input):
    outcome = serializers.ChoiceField(choices=FollowUp.Outcome.choices)
    outcome_words = words(500)


class FollowUpOutput(serializers.Serializer[FollowUp]):
    uid = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient.uid")
    patient_name = serializers.CharField(source="patient.name")
    consultation = serializers.UUIDField(source="consultation.uid")
    due_on = serializers.DateField()
    is_overdue = serializers.BooleanField()
    outcome = serializers.CharField()
    outcome_words = serializers.CharField()


class GivenShape(Input):
    position = serializers.IntegerField(min_value=1, help_text="Of the medicine, from 1.")
    given = serializers.ChoiceField(choices=Dispensing.Given.choices)
    words = words(120)


class DispensingInput(Input):
    lines = GivenShape(many=True)


class FindInput(Input):
    """A number, or name with age and village."""

    number = words(40, help_text="Mobile, patient or ABHA number.")
    name = words(120)
    age = serializers.IntegerField(required=False, min_value=0, max_value=125, help_text="Years.")
    village = words(80)


class FoundOutput(serializers.Serializer[Patient]):
    """As much as is needed to see whether it is the person."""

    found = serializers.CharField(help_text="Enrols this person here, within two hours.")
    name = serializers.CharField()
    sex = serializers.CharField()
    age = serializers.IntegerField()
    address = serializers.CharField()
    phone = serializers.CharField(source="account.masked_phone")


class EnrolInput(Input):
    found = serializers.CharField(max_length=300)


class CentrePatientInput(PatientInput):
    """As patients register themselves, with the number at which they can be reached."""

    phone = serializers.CharField(
        max_length=40,
        help_text="Of the patient or a relative. The prescription comes there by SMS.",
    )


class PointOutput(serializers.Serializer[Any]):
    value = serializers.FloatField()
    taken_at = serializers.DateTimeField()
    is_unusual = serializers.BooleanField()


class TrendOutput(serializers.Serializer[Any]):
    """One vital sign over time, the newest last."""

    kind = serializers.CharField(source="vital.kind")
    unit = serializers.CharField(source="vital.unit", help_text="UCUM.")
    points = PointOutput(source="rows", many=True)


class KnownOutput(serializers.Serializer[Any]):
    """One person, as the health centre knows them."""

    patient = PatientOutput()
    draft = ConsultationOutput(allow_null=True)
    open = ConsultationOutput(allow_null=True)
    earlier = EarlierOutput(many=True)
    follow_ups = FollowUpOutput(many=True)
    trends = TrendOutput(many=True)


class ChoiceOutput(serializers.Serializer[Any]):
    """The clinics that may be asked, the one that takes the patient soonest first."""

    proposed = serializers.UUIDField(
        source="proposed.clinic.uid",
        default=None,
        allow_null=True,
        help_text="Another one needs a reason. Null where nobody takes the patient now.",
    )
    clinics = ClinicOutput(source="everywhere", many=True)
    obstacles = serializers.DictField(
        child=serializers.CharField(),
        help_text="What is still in the way, by code, besides consent and presence.",
    )


class SendAgainInput(Input):
    clinic = serializers.UUIDField()
    is_present = serializers.BooleanField(help_text="The patient is with the health worker now.")
    is_written = serializers.BooleanField(default=False, help_text="To be answered in writing.")
