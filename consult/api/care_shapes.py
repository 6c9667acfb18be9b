"""What the API reads and answers about earlier care, emergencies, refills and complaints."""

from typing import Any

from rest_framework import serializers

from accounts.api.reading import Input
from accounts.api.shapes import CONSENT_LANGUAGE
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
    """That the doctor saw the patient in person before."""

    condition = serializers.CharField(max_length=120, help_text="What the patient was seen for.")
    seen_on = serializers.DateField(help_text="Within the last six months.")
    place = serializers.CharField(max_length=120, help_text="Name of the hospital or clinic.")
    medicines = words(500, help_text="Given then: generic names, with commas between.")
    confirmed = serializers.BooleanField(
        help_text="The doctor saw this patient in person, for the same condition as today."
    )


class VisitOutput(serializers.Serializer[InPersonVisit]):
    """A visit in person, as the doctor noted it."""

    id = serializers.IntegerField(source="pk", help_text="Number of the visit.")
    condition = serializers.CharField(help_text="What the patient was seen for.")
    seen_on = serializers.DateField(help_text="The day, `YYYY-MM-DD`.")
    place = serializers.CharField(help_text="Name of the hospital or clinic.")
    medicines = serializers.CharField(
        help_text="Given then: generic names, with commas between; may be empty."
    )
    is_linked = serializers.BooleanField(help_text="This consultation follows it up.")


class PaperInput(Input):
    """A prescription on paper that the patient showed."""

    generic = serializers.CharField(
        max_length=120, help_text="One medicine on it, by generic name."
    )
    written_on = serializers.DateField(help_text="Within the last six months.")
    written_by = serializers.CharField(max_length=120, help_text="The doctor on it.")


class PaperOutput(serializers.Serializer[PaperPrescription]):
    """A prescription on paper that the doctor saw."""

    generic = serializers.CharField(help_text="One medicine on it, by generic name.")
    written_on = serializers.DateField(help_text="The date on it.")
    written_by = serializers.CharField(help_text="The doctor on it.")
    seen_at = serializers.DateTimeField(help_text="When the treating doctor saw it.")


class EmergencyInput(Input):
    """First aid, and where to go."""

    first_aid = serializers.CharField(
        max_length=1000, help_text="What to do until then; the patient reads it."
    )
    refer_to = serializers.CharField(max_length=200, help_text="Where to go.")
    told = serializers.BooleanField(help_text="The patient was told to go in person, now.")


class EmergencyOutput(serializers.Serializer[EmergencyReferral]):
    """That the doctor calls it an emergency, and what the patient was told."""

    declared_at = serializers.DateTimeField(help_text="When.")
    first_aid = serializers.CharField(
        help_text="What to do until then; empty before it was written."
    )
    refer_to = serializers.CharField(help_text="Where to go; empty before it was written.")
    told_at = serializers.DateTimeField(
        allow_null=True, help_text="When the patient was told to go in person; null before."
    )


class RefillInput(Input):
    """A patient asks for the same medicines once more."""

    words = serializers.CharField(
        max_length=500, help_text="How the patient is now: better, worse, anything new?"
    )
    consent = serializers.BooleanField(
        help_text="The patient agrees to be treated over the internet. Without it: `invalid`."
    )
    language = CONSENT_LANGUAGE


class RefillOutput(serializers.Serializer[RefillRequest]):
    """A patient's wish for the same medicines once more."""

    uid = serializers.UUIDField(help_text="Id of the request.")
    state = serializers.ChoiceField(choices=RefillRequest.State.choices, help_text="How far it is.")
    words = serializers.CharField(help_text="How the patient is now.")
    requested_at = serializers.DateTimeField(help_text="When it was asked.")
    prescription_number = serializers.CharField(
        source="prescription.number", help_text="Of the prescription that is to be repeated."
    )
    patient_name = serializers.CharField(
        source="prescription.consultation.patient.name", help_text="Name of the patient."
    )
    consultation = serializers.UUIDField(
        source="consultation.uid",
        default=None,
        allow_null=True,
        help_text="In which the doctor answers; null before.",
    )


class ReportInput(Input):
    """How the other side behaves."""

    words = words(1000, help_text="What happened.")


class GrievanceInput(Input):
    """A complaint."""

    about = serializers.ChoiceField(choices=Grievance.About.choices, help_text="What it is about.")
    phone = words(40, help_text="Only if an answer is wanted.")
    words = serializers.CharField(max_length=4000, help_text="What happened.")


class GrievanceOutput(serializers.Serializer[Grievance]):
    """A complaint that was taken."""

    number = serializers.CharField(help_text="For asking later.")
    about = serializers.CharField(help_text="What it is about.")
    created_at = serializers.DateTimeField(help_text="When it was made.")


class CheckedOutput(serializers.Serializer[Prescription]):
    """What anybody who holds the paper may know: never the patient, never the medicines."""

    standing = serializers.ChoiceField(
        choices=Standing.choices,
        help_text="`altered`: what is printed is not what the doctor signed.",
    )
    number = serializers.CharField(help_text="As it is printed.")
    doctor = serializers.CharField(
        source="document.doctor.name", help_text="Name of the doctor who signed it."
    )
    registration_number = serializers.CharField(
        source="document.doctor.registration_number", help_text="Of the doctor."
    )
    council = serializers.CharField(
        source="document.doctor.council",
        help_text="Medical council where the doctor is registered.",
    )
    issued_at = serializers.DateTimeField(help_text="When it was signed.")
    medicines = serializers.IntegerField(help_text="How many.")
    dispensed = serializers.ChoiceField(
        choices=Dispensed.choices, help_text="Whether a health centre has given the medicines out."
    )


class FeedbackOutput(serializers.Serializer[Any]):
    """How the patient found it."""

    stars = serializers.IntegerField(help_text="1 is bad, 5 is good.")
    words = serializers.CharField(help_text="In the patient's own words; may be empty.")
    given_at = serializers.DateTimeField(help_text="When it was said, or changed last.")
