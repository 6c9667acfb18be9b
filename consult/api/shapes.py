"""What the API reads and answers about consultations."""

from typing import Any

from rest_framework import serializers

from accounts.api.base import Input
from accounts.api.shapes import LANGUAGE, FacilityOutput
from consult.models import (
    Attachment,
    ChatMessage,
    Consultation,
    Observation,
    Opinion,
    Referral,
)
from consult.vitals import VITALS
from queues.api.shapes import TokenOutput, WaitOutput


def words(most: int, **how: Any) -> serializers.CharField:
    return serializers.CharField(max_length=most, **{"required": False, "allow_blank": True, **how})


class DraftInput(Input):
    patient = serializers.UUIDField()
    clinic = serializers.UUIDField()
    complaint = serializers.CharField(max_length=2000)
    since = serializers.ChoiceField(choices=Consultation.Since.choices)
    allergies = words(500)
    medicines = words(500)
    is_pregnant = serializers.BooleanField(default=False)
    is_disabled = serializers.BooleanField(default=False)


class RequestInput(Input):
    consent = serializers.BooleanField(
        help_text="The patient agrees to be treated over the internet. Without it: `invalid`."
    )
    may_phone = serializers.BooleanField(
        default=False,
        help_text="If the call breaks off, the doctor may see the number and phone.",
    )
    language = LANGUAGE


class ConsultationOutput(serializers.Serializer[Consultation]):
    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Consultation.State.choices)
    patient = serializers.UUIDField(source="patient.uid")
    patient_name = serializers.CharField(source="patient.name")
    clinic = serializers.UUIDField(source="clinic.uid")
    clinic_name = serializers.CharField(source="clinic.local_name")
    doctor = serializers.SerializerMethodField()
    facility = serializers.IntegerField(source="facility_id", allow_null=True)
    is_written = serializers.BooleanField(help_text="Answered in writing, without a call.")
    revision = serializers.IntegerField(help_text="Send it back when a case is saved.")
    complaint = serializers.CharField()
    since = serializers.CharField()
    history = serializers.CharField()
    family_history = serializers.CharField()
    allergies = serializers.CharField()
    medicines = serializers.CharField()
    examination = serializers.CharField()
    impression = serializers.CharField()
    is_pregnant = serializers.BooleanField()
    is_disabled = serializers.BooleanField()
    is_emergency = serializers.BooleanField()
    lmp = serializers.DateField(allow_null=True)
    lets_phone_in = serializers.BooleanField(
        help_text="Whether the account's phone may join the call of the health centre."
    )
    token = TokenOutput(allow_null=True)
    end_reason = serializers.CharField()
    end_words = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_doctor(self, consultation: Consultation) -> str | None:
        """Name, qualification, registration number and council (guidelines 3.2)."""
        doctor = consultation.doctor
        if doctor is None:
            return None
        said = [doctor.user.name, doctor.qualification, doctor.registration_number, doctor.council]
        return ", ".join(said)


class PlaceOutput(serializers.Serializer[Any]):
    """Where in the line, now."""

    state = serializers.ChoiceField(choices=Consultation.State.choices)
    token = TokenOutput(allow_null=True)
    ahead = serializers.IntegerField(allow_null=True, help_text="People in front.")
    wait = WaitOutput(allow_null=True)
    doctors = serializers.IntegerField()


class FileInput(Input):
    file = serializers.FileField(help_text="JPEG, PNG, WebP or PDF of at most 10 MB.")


class FileOutput(serializers.Serializer[Attachment]):
    uid = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class FileMessageInput(Input):
    client_id = serializers.UUIDField(help_text="Made by the client: sent twice it is kept once.")
    text = words(ChatMessage.MAX_TEXT)
    file = serializers.FileField(help_text="JPEG, PNG, WebP or PDF of at most 10 MB.")


class FeedbackInput(Input):
    stars = serializers.IntegerField(min_value=1, max_value=5)
    words = words(1000)


class CallServersOutput(serializers.Serializer[Any]):
    """As RTCPeerConnection takes it."""

    iceServers = serializers.ListField(child=serializers.DictField())  # noqa: N815 - WebRTC's name
    iceTransportPolicy = serializers.CharField()  # noqa: N815


class ReturnInput(Input):
    reason = serializers.ChoiceField(
        choices=[(r.value, r.label) for r in Consultation.RETURN_REASONS]
    )
    words = serializers.CharField(max_length=500, help_text="What the patient should do.")
    clinic = serializers.UUIDField(required=False, help_text="Where the doctor would send it.")


class TransferInput(Input):
    clinic = serializers.UUIDField()
    words = serializers.CharField(max_length=500, help_text="What the patient is told.")
    told = serializers.BooleanField(
        help_text="The patient was told that another doctor takes over."
    )


class ReferralInput(Input):
    facility = serializers.IntegerField(required=False, min_value=1)
    place = words(120)
    speciality = serializers.IntegerField(required=False, min_value=1)
    urgency = serializers.ChoiceField(choices=Referral.Urgency.choices)
    reason = serializers.CharField(max_length=1000)


class ReferralOutput(serializers.Serializer[Referral]):
    uid = serializers.UUIDField()
    number = serializers.CharField()
    where = serializers.CharField()
    urgency = serializers.CharField()
    reason = serializers.CharField()
    issued_at = serializers.DateTimeField()


class PlaceToGoOutput(serializers.Serializer[Any]):
    """A clinic that may be chosen."""

    uid = serializers.UUIDField()
    name = serializers.CharField(source="local_name")
    speciality = serializers.CharField(source="speciality.local_name")


class SpecialityOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    code = serializers.CharField()
    name = serializers.CharField(source="local_name")


class WaysOnOutput(serializers.Serializer[Any]):
    """Where one case can go."""

    colleagues = PlaceToGoOutput(many=True, help_text="Clinics to ask, or to hand over to.")
    return_to = PlaceToGoOutput(
        many=True, help_text="Clinics that a health centre may ask instead."
    )
    facilities = FacilityOutput(many=True, help_text="Where the patient may be seen in person.")
    specialities = SpecialityOutput(many=True)


class EarlierOutput(serializers.Serializer[Consultation]):
    """One earlier consultation of the patient, in a few words."""

    ended_at = serializers.DateTimeField()
    clinic_name = serializers.CharField(source="clinic.local_name")
    doctor = serializers.CharField(source="doctor.user.name", default="")
    complaint = serializers.CharField()
    diagnosis = serializers.CharField(source="note.diagnosis", default="")


class NumberOutput(serializers.Serializer[Any]):
    phone = serializers.CharField()


class WrittenOutput(serializers.Serializer[Any]):
    pile = ConsultationOutput(many=True, help_text="Nobody has taken these.")
    mine = ConsultationOutput(many=True, help_text="Taken by this doctor, not finished.")


class OpinionInput(Input):
    clinic = serializers.UUIDField()
    question = serializers.CharField(max_length=1000)


class OpinionAnswerInput(Input):
    answer = serializers.CharField(max_length=2000)


class OpinionOutput(serializers.Serializer[Opinion]):
    uid = serializers.UUIDField()
    consultation = serializers.UUIDField(source="consultation.uid")
    clinic_name = serializers.CharField(source="clinic.local_name")
    question = serializers.CharField()
    state = serializers.ChoiceField(choices=Opinion.State.choices)
    specialist = serializers.SerializerMethodField()
    answer = serializers.CharField()
    asked_at = serializers.DateTimeField()

    def get_specialist(self, opinion: Opinion) -> str | None:
        return opinion.specialist.user.name if opinion.specialist else None


def _vital(low: float, high: float, unit: str) -> serializers.FloatField:
    return serializers.FloatField(
        required=False, min_value=low, max_value=high, help_text=f"{unit}, {low:g} to {high:g}."
    )


# Each by its kind, in the unit of the national guide.
VitalsShape: Any = type(
    "VitalsShape",
    (Input,),
    {one.kind: _vital(*one.possible, one.shown_unit) for one in VITALS},
)


class VitalsInput(Input):
    vitals = VitalsShape()


class ObservationOutput(serializers.Serializer[Observation]):
    kind = serializers.CharField()
    value = serializers.FloatField()
    unit = serializers.CharField(help_text="UCUM.")
    loinc = serializers.CharField()
    taken_at = serializers.DateTimeField()
    is_unusual = serializers.BooleanField()


class CallInput(Input):
    clinic = serializers.UUIDField()


class WaitingOutput(serializers.Serializer[Any]):
    """One patient of a line, as the doctor's desk shows them."""

    consultation = serializers.UUIDField()
    number = serializers.IntegerField()
    priority = serializers.IntegerField()
    name = serializers.CharField()
    age = serializers.IntegerField()
    sex = serializers.CharField()
    complaint = serializers.CharField()
    is_present = serializers.BooleanField()
    minutes = serializers.IntegerField(help_text="Waiting so far.")


class LineOutput(serializers.Serializer[Any]):
    clinic = serializers.UUIDField(source="clinic.uid")
    name = serializers.CharField(source="clinic.local_name")
    is_paused = serializers.BooleanField()
    waiting = serializers.IntegerField()
    rows = WaitingOutput(many=True)


class DeskOutput(serializers.Serializer[Any]):
    held = ConsultationOutput(allow_null=True, help_text="Who was called or is in the room.")
    lines = LineOutput(many=True)
