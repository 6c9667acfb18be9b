"""What the API reads and answers at a health centre."""

from typing import Any

from rest_framework import serializers

from accounts.api.reading import Input
from accounts.api.shapes import CONSENT_LANGUAGE, PatientInput, PatientOutput
from accounts.models import Patient
from consult.api.shapes import ConsultationOutput, EarlierOutput, VitalsShape, words
from consult.models import Consent, Consultation, Dispensing, FollowUp
from queues.api.shapes import ClinicOutput


class CaseOpenInput(Input):
    """For whom a case is begun."""

    patient = serializers.UUIDField(help_text="Id of a patient whom this health centre knows.")
    follow_up = serializers.UUIDField(
        required=False,
        help_text="Id of the follow-up that it answers; left out for a new question.",
    )


class CaseInput(Input):
    """The whole case, as the health worker has it now: a word that is left out becomes empty."""

    revision = serializers.IntegerField(min_value=0, help_text="The one that was read.")
    complaint = words(2000, help_text="What is wrong, in the patient's words.")
    since = serializers.ChoiceField(
        choices=Consultation.Since.choices,
        required=False,
        allow_blank=True,
        help_text="Since when; may be empty in a draft.",
    )
    history = words(2000, help_text="Past illnesses and operations.")
    family_history = words(500, help_text="Illnesses in the family.")
    allergies = words(500, help_text="In words.")
    medicines = words(500, help_text="Taken now, in words.")
    is_pregnant = serializers.BooleanField(
        default=False, help_text="The patient is pregnant: called with priority."
    )
    lmp = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="First day of the last period, `YYYY-MM-DD`; null where it does not apply.",
    )
    is_disabled = serializers.BooleanField(
        default=False, help_text="The patient lives with a disability: called with priority."
    )
    examination = words(2000, help_text="What the health worker sees and feels.")
    impression = words(300, help_text="What the health worker thinks it is.")
    is_emergency = serializers.BooleanField(default=False, help_text="Called before all others.")
    vitals = VitalsShape(
        required=False, help_text="All that was measured; left out, what is kept stays."
    )


class SendInput(Input):
    """To which clinic the case goes, with the patient's consent."""

    clinic = serializers.UUIDField(
        help_text="Id of one of the clinics of `GET clinics/` of this case."
    )
    proposed = serializers.UUIDField(required=False, help_text="The clinic that was proposed.")
    because = words(300, help_text="Needed for another clinic than the one proposed.")
    is_written = serializers.BooleanField(default=False, help_text="To be answered in writing.")
    how = serializers.ChoiceField(
        choices=Consent.How.choices,
        default=Consent.How.SPOKEN,
        help_text="How the patient gave it.",
    )
    consent = serializers.BooleanField(
        help_text="The patient agrees to be treated over the internet. Without it: `not_ready`."
    )
    language = CONSENT_LANGUAGE
    is_present = serializers.BooleanField(help_text="The patient is with the health worker now.")
    phone = serializers.ChoiceField(
        choices=[("patient", "The patient's own"), ("centre", "The health centre's")],
        allow_blank=True,
        default="",
        help_text="At whose number the doctor may phone if the call breaks off; empty for neither.",
    )


class MoveInput(Input):
    """Where else the case is to wait."""

    clinic = serializers.UUIDField(
        help_text="Id of one of the clinics of `GET clinics/` of this case."
    )
    because = words(300, help_text="Why another clinic than the one proposed.")


class PhoneInCallInput(Input):
    """Whether the patient's own phone may join the call."""

    may_join = serializers.BooleanField(
        help_text="Said by the patient, to the health worker at whose screen the patient sits."
    )


class InstructionInput(Input):
    """What the health worker is asked to do."""

    words = serializers.CharField(max_length=300, help_text="One thing, such as a measurement.")


class InstructionAnswerInput(Input):
    """That it was done."""

    answer = words(300, help_text="What came of it; may be left out.")


class InstructionOutput(serializers.Serializer[Any]):
    """One thing that the doctor asked the health worker to do."""

    id = serializers.IntegerField(help_text="Number of the instruction.")
    words = serializers.CharField(help_text="What is to be done.")
    asked_at = serializers.DateTimeField(help_text="When the doctor asked.")
    answer = serializers.CharField(help_text="What came of it; empty before.")
    done_at = serializers.DateTimeField(allow_null=True, help_text="When it was done; null before.")


class FollowUpInput(Input):
    """How the patient is."""

    outcome = serializers.ChoiceField(
        choices=FollowUp.Outcome.choices, help_text="How it turned out."
    )
    outcome_words = words(500, help_text="More about it; may be left out.")


class FollowUpOutput(serializers.Serializer[FollowUp]):
    """A day on which a patient is to be seen again."""

    uid = serializers.UUIDField(help_text="Id of the follow-up.")
    patient = serializers.UUIDField(source="patient.uid", help_text="Id of the patient.")
    patient_name = serializers.CharField(source="patient.name", help_text="Name of the patient.")
    consultation = serializers.UUIDField(
        source="consultation.uid", help_text="Id of the consultation that it follows."
    )
    due_on = serializers.DateField(help_text="The day, `YYYY-MM-DD`.")
    is_overdue = serializers.BooleanField(help_text="The day has passed and nobody has closed it.")
    outcome = serializers.CharField(
        help_text="How it turned out, as a code such as `better`; empty while it is open."
    )
    outcome_words = serializers.CharField(help_text="More about it; may be empty.")


class GivenShape(Input):
    """What was given out of one medicine."""

    position = serializers.IntegerField(min_value=1, help_text="Of the medicine, from 1.")
    given = serializers.ChoiceField(choices=Dispensing.Given.choices, help_text="Whether it was.")
    words = words(120, help_text="How much, or why not.")


class DispensingInput(Input):
    """What the health centre gave out of a prescription."""

    lines = GivenShape(many=True, help_text="One for each medicine that was looked at.")


class FindInput(Input):
    """A number, or name with age and village."""

    number = words(40, help_text="Mobile, patient or ABHA number.")
    name = words(120, help_text="Words of the name.")
    age = serializers.IntegerField(required=False, min_value=0, max_value=125, help_text="Years.")
    village = words(80, help_text="Words of the address.")


class FoundOutput(serializers.Serializer[Patient]):
    """As much as is needed to see whether it is the person."""

    found = serializers.CharField(help_text="Enrols this person here, within two hours.")
    name = serializers.CharField(help_text="Name of the person.")
    sex = serializers.CharField(help_text="`female`, `male` or `other`.")
    age = serializers.IntegerField(help_text="Whole years, today.")
    address = serializers.CharField(help_text="House, street, village or town.")
    phone = serializers.CharField(
        source="account.masked_phone",
        help_text="Masked: the country code and the last three digits.",
    )


class EnrolInput(Input):
    """Who is before the health worker."""

    found = serializers.CharField(
        max_length=300, help_text="As `POST centre/find/` answered it, at most two hours ago."
    )


class CentrePatientInput(PatientInput):
    """As patients register themselves, with the number at which they can be reached."""

    phone = serializers.CharField(
        max_length=40,
        help_text="Of the patient or a relative. The prescription comes there by SMS.",
    )


class PointOutput(serializers.Serializer[Any]):
    """One measurement of a trend."""

    value = serializers.FloatField(help_text="In the trend's `unit`.")
    taken_at = serializers.DateTimeField(help_text="When it was measured.")
    is_unusual = serializers.BooleanField(help_text="Outside what is usual at the patient's age.")


class TrendOutput(serializers.Serializer[Any]):
    """One vital sign over time, the newest last."""

    kind = serializers.CharField(
        source="vital.kind", help_text="What: `pulse`, `weight` and so on."
    )
    unit = serializers.CharField(source="vital.unit", help_text="UCUM.")
    points = PointOutput(source="rows", many=True, help_text="In the order of measuring.")


class KnownOutput(serializers.Serializer[Any]):
    """One person, as the health centre knows them."""

    patient = PatientOutput(help_text="Who it is.")
    draft = ConsultationOutput(
        allow_null=True, help_text="What is being written here for the patient; null for nothing."
    )
    open = ConsultationOutput(
        allow_null=True, help_text="What waits or is with a doctor; null for nothing."
    )
    earlier = EarlierOutput(many=True, help_text="The last consultations, newest first.")
    follow_ups = FollowUpOutput(many=True, help_text="Open ones of this health centre.")
    trends = TrendOutput(many=True, help_text="Vital signs over time.")


class ChoiceOutput(serializers.Serializer[Any]):
    """The clinics that may be asked, the one that takes the patient soonest first."""

    proposed = serializers.UUIDField(
        source="proposed.clinic.uid",
        default=None,
        allow_null=True,
        help_text="Another one needs a reason. Null where nobody takes the patient now.",
    )
    clinics = ClinicOutput(
        source="everywhere", many=True, help_text="Those that may be asked, the soonest first."
    )
    obstacles = serializers.DictField(
        child=serializers.CharField(),
        help_text="What is still in the way, by code, besides consent and presence.",
    )


class SendAgainInput(Input):
    """Where a case that came back goes now."""

    clinic = serializers.UUIDField(help_text="Id of the clinic to ask now.")
    is_present = serializers.BooleanField(help_text="The patient is with the health worker now.")
    is_written = serializers.BooleanField(default=False, help_text="To be answered in writing.")
