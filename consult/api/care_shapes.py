"""What the API reads and answers about earlier care, emergencies, refills and complaints."""

from typing import Any

from rest_framework import serializers

from accounts.api.base import Input
from accounts.api.shapes import LANGUAGE
from consult.api.shapes import words
from consult.checking import Dispensed, Standing
from consult.models import (
    EmergencyReferral,
    Grievance,
    InPersonVisit,
    PaperPrescription,
    Prescription,
    RefillRequest,
)


class VisitInput(Input):
    condition = serializers.CharField(max_length=120)
    seen_on = serializers.DateField(help_text="Within the last six months.")
    place = serializers.CharField(max_length=120)
    medicines = words(500, help_text="Given then: generic names, with commas between.")
    confirmed = serializers.BooleanField(
        help_text="The doctor saw this patient in person, for the same condition as today."
    )


class VisitOutput(serializers.Serializer[InPersonVisit]):
    id = serializers.IntegerField(source="pk")
    condition = serializers.CharField()
    seen_on = serializers.DateField()
    place = serializers.CharField()
    medicines = serializers.CharField()
    is_linked = serializers.BooleanField(help_text="This consultation follows it up.")


class PaperInput(Input):
    generic = serializers.CharField(max_length=120)
    written_on = serializers.DateField(help_text="Within the last six months.")
    written_by = serializers.CharField(max_length=120, help_text="The doctor on it.")


class PaperOutput(serializers.Serializer[PaperPrescription]):
    generic = serializers.CharField()
    written_on = serializers.DateField()
    written_by = serializers.CharField()
    seen_at = serializers.DateTimeField()


class EmergencyInput(Input):
    first_aid = serializers.CharField(max_length=1000)
    refer_to = serializers.CharField(max_length=200, help_text="Where to go.")
    told = serializers.BooleanField(help_text="The patient was told to go in person, now.")


class EmergencyOutput(serializers.Serializer[EmergencyReferral]):
    declared_at = serializers.DateTimeField()
    first_aid = serializers.CharField()
    refer_to = serializers.CharField()
    told_at = serializers.DateTimeField(allow_null=True)


class RefillInput(Input):
    words = serializers.CharField(
        max_length=500, help_text="How the patient is now: better, worse, anything new?"
    )
    consent = serializers.BooleanField(
        help_text="The patient agrees to be treated over the internet. Without it: `invalid`."
    )
    language = LANGUAGE


class RefillOutput(serializers.Serializer[RefillRequest]):
    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RefillRequest.State.choices)
    words = serializers.CharField()
    requested_at = serializers.DateTimeField()
    prescription_number = serializers.CharField(source="prescription.number")
    patient_name = serializers.CharField(source="prescription.consultation.patient.name")
    consultation = serializers.UUIDField(
        source="consultation.uid",
        default=None,
        allow_null=True,
        help_text="In which the doctor answers; null before.",
    )


class ReportInput(Input):
    words = words(1000, help_text="What happened.")


class GrievanceInput(Input):
    about = serializers.ChoiceField(choices=Grievance.About.choices)
    phone = words(40, help_text="Only if an answer is wanted.")
    words = serializers.CharField(max_length=4000)


class GrievanceOutput(serializers.Serializer[Grievance]):
    number = serializers.CharField()
    about = serializers.CharField()
    created_at = serializers.DateTimeField()


class CheckedOutput(serializers.Serializer[Prescription]):
    """What anybody who holds the paper may know: never the patient, never the medicines."""

    standing = serializers.ChoiceField(choices=Standing.choices)
    number = serializers.CharField()
    doctor = serializers.CharField(source="document.doctor.name")
    registration_number = serializers.CharField(source="document.doctor.registration_number")
    council = serializers.CharField(source="document.doctor.council")
    issued_at = serializers.DateTimeField()
    medicines = serializers.IntegerField(help_text="How many.")
    dispensed = serializers.ChoiceField(choices=Dispensed.choices)


class FeedbackOutput(serializers.Serializer[Any]):
    stars = serializers.IntegerField()
    words = serializers.CharField()
    given_at = serializers.DateTimeField()
