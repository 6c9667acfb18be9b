"""What the API reads and answers about consultations."""

from typing import Any

from rest_framework import serializers

from accounts.api.reading import Input
from accounts.api.shapes import CONSENT_LANGUAGE
from consult.models import (
    Attachment,
    ChatMessage,
    Consultation,
    Observation,
    Referral,
)
from consult.vitals import VITALS
from queues.api.shapes import TokenOutput, WaitOutput


def words(most: int, **how: Any) -> serializers.CharField:
    return serializers.CharField(max_length=most, **{"required": False, "allow_blank": True, **how})


class DraftInput(Input):
    """What a patient at home comes with."""

    patient = serializers.UUIDField(help_text="Id of a patient of this account.")
    clinic = serializers.UUIDField(help_text="Id of the clinic, as `GET clinics/` gives it.")
    complaint = serializers.CharField(
        max_length=2000, help_text="What is wrong, in the patient's words."
    )
    since = serializers.ChoiceField(choices=Consultation.Since.choices, help_text="Since when.")
    allergies = words(500, help_text="In words; empty where none is known.")
    medicines = words(500, help_text="Taken now, in words; empty for none.")
    is_pregnant = serializers.BooleanField(
        default=False, help_text="The patient is pregnant: called with priority."
    )
    is_disabled = serializers.BooleanField(
        default=False, help_text="The patient lives with a disability: called with priority."
    )


class RequestInput(Input):
    """The patient's consent, to get a token."""

    consent = serializers.BooleanField(
        help_text="The patient agrees to be treated over the internet. Without it: `invalid`."
    )
    may_phone = serializers.BooleanField(
        default=False,
        help_text="If the call breaks off, the doctor may see the number and phone.",
    )
    language = CONSENT_LANGUAGE


class ConsultationOutput(serializers.Serializer[Consultation]):
    """One question of one patient to a doctor, from the first word to its end."""

    uid = serializers.UUIDField(help_text="Id of the consultation.")
    state = serializers.ChoiceField(choices=Consultation.State.choices, help_text="How far it is.")
    patient = serializers.UUIDField(source="patient.uid", help_text="Id of the patient.")
    patient_name = serializers.CharField(source="patient.name", help_text="Name of the patient.")
    clinic = serializers.UUIDField(source="clinic.uid", help_text="Id of the clinic.")
    clinic_name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    doctor = serializers.SerializerMethodField()
    facility = serializers.IntegerField(
        source="facility_id",
        allow_null=True,
        help_text="Number of the health centre where the patient sits; null at home.",
    )
    is_written = serializers.BooleanField(help_text="Answered in writing, without a call.")
    revision = serializers.IntegerField(help_text="Send it back when a case is saved.")
    complaint = serializers.CharField(help_text="What is wrong, in the words of who wrote it.")
    since = serializers.CharField(
        help_text="`today`, `days`, `week`, `weeks` or `months`; empty before it was said."
    )
    history = serializers.CharField(help_text="Past illnesses and operations; empty for none told.")
    family_history = serializers.CharField(
        help_text="Illnesses in the family; empty for none told."
    )
    allergies = serializers.CharField(help_text="In words; empty for none told.")
    medicines = serializers.CharField(help_text="Taken now, in words; empty for none told.")
    examination = serializers.CharField(
        help_text="What the health worker sees and feels; empty at home."
    )
    impression = serializers.CharField(
        help_text="What the health worker thinks it is; empty at home."
    )
    is_pregnant = serializers.BooleanField(
        help_text="The patient is pregnant: called with priority."
    )
    is_disabled = serializers.BooleanField(help_text="The patient lives with a disability.")
    is_emergency = serializers.BooleanField(help_text="The health worker calls it an emergency.")
    lmp = serializers.DateField(
        allow_null=True, help_text="First day of the last period; null where not told."
    )
    lets_phone_in = serializers.BooleanField(
        help_text="Whether the account's phone may join the call of the health centre."
    )
    token = TokenOutput(
        allow_null=True,
        help_text="The place in the line; null in a draft and where it is answered in writing.",
    )
    end_reason = serializers.CharField(
        help_text="Why it ended before it was complete, as a code such as `no_show`; else empty."
    )
    end_words = serializers.CharField(
        help_text="What the doctor said about that to the patient; else empty."
    )
    created_at = serializers.DateTimeField(help_text="When the first word was written.")
    started_at = serializers.DateTimeField(
        allow_null=True, help_text="When doctor and patient met; null before."
    )
    ended_at = serializers.DateTimeField(
        allow_null=True, help_text="When it ended, in whatever way; null before."
    )

    def get_doctor(self, consultation: Consultation) -> str | None:
        """Name, qualification, registration number and council (guidelines 3.2)."""
        doctor = consultation.doctor
        if doctor is None:
            return None
        said = [doctor.user.name, doctor.qualification, doctor.registration_number, doctor.council]
        return ", ".join(said)


class PlaceOutput(serializers.Serializer[Any]):
    """Where in the line, now."""

    state = serializers.ChoiceField(
        choices=Consultation.State.choices, help_text="Of the consultation."
    )
    token = TokenOutput(allow_null=True, help_text="The place in the line; null without one.")
    ahead = serializers.IntegerField(allow_null=True, help_text="People in front.")
    wait = WaitOutput(
        allow_null=True,
        help_text="Until the call; null while no doctor is on duty or nobody waits any more.",
    )
    doctors = serializers.IntegerField(
        help_text="On duty in this clinic and not paused, who may meet the patient."
    )


class FileInput(Input):
    """A photo or report."""

    file = serializers.FileField(help_text="JPEG, PNG, WebP or PDF of at most 10 MB.")


class FileOutput(serializers.Serializer[Attachment]):
    """A photo or report that is kept."""

    uid = serializers.UUIDField(help_text="Id of the file, to fetch it.")
    name = serializers.CharField(help_text="As the sender called it.")
    kind = serializers.CharField(help_text="Its media type, such as `image/jpeg`.")
    size = serializers.IntegerField(help_text="Bytes.")


class FileMessageInput(Input):
    """A message with a file."""

    client_id = serializers.UUIDField(help_text="Made by the client: sent twice it is kept once.")
    text = words(ChatMessage.MAX_TEXT, help_text="Words beside it; may be left out.")
    file = serializers.FileField(help_text="JPEG, PNG, WebP or PDF of at most 10 MB.")


class FeedbackInput(Input):
    """How it was."""

    stars = serializers.IntegerField(min_value=1, max_value=5, help_text="1 is bad, 5 is good.")
    words = words(1000, help_text="In the patient's own words; may be left out.")


class CallServersOutput(serializers.Serializer[Any]):
    """As RTCPeerConnection takes it."""

    iceServers = serializers.ListField(  # noqa: N815 - WebRTC's name
        child=serializers.DictField(),
        help_text="STUN and TURN servers with credentials of this consultation.",
    )
    iceTransportPolicy = serializers.CharField(  # noqa: N815
        help_text="`all`, or `relay` where every call goes by TURN."
    )


class ReferralOutput(serializers.Serializer[Referral]):
    """A letter that sends the patient to be seen in person."""

    uid = serializers.UUIDField(help_text="Id of the letter, to fetch its PDF.")
    number = serializers.CharField(help_text="As it is printed.")
    where = serializers.CharField(help_text="Name of the place.")
    urgency = serializers.CharField(
        help_text="`emergency` (now), `urgent` (within a day) or `routine` (within weeks)."
    )
    reason = serializers.CharField(help_text="For the colleague who will see the patient.")
    issued_at = serializers.DateTimeField(help_text="When it was written.")


class EarlierOutput(serializers.Serializer[Consultation]):
    """One earlier consultation of the patient, in a few words."""

    ended_at = serializers.DateTimeField(help_text="When it ended.")
    clinic_name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    doctor = serializers.CharField(
        source="doctor.user.name",
        default="",
        help_text="Name of the doctor; empty where none took it.",
    )
    complaint = serializers.CharField(help_text="What was wrong.")
    diagnosis = serializers.CharField(
        source="note.diagnosis",
        default="",
        help_text="What the doctor found; empty where nothing was written.",
    )


def _vital(low: float, high: float, unit: str) -> serializers.FloatField:
    return serializers.FloatField(
        required=False, min_value=low, max_value=high, help_text=f"{unit}, {low:g} to {high:g}."
    )


VitalsShape: Any = type(
    "VitalsShape",
    (Input,),
    {"__doc__": "Vital signs, each by its kind, in the unit of the national guide."}
    | {one.kind: _vital(*one.possible, one.shown_unit) for one in VITALS},
)


class VitalsInput(Input):
    """What was measured now."""

    vitals = VitalsShape(help_text="Only what was measured; the rest is left out.")


class ObservationOutput(serializers.Serializer[Observation]):
    """One vital sign that was measured."""

    kind = serializers.CharField(help_text="What: `temperature`, `pulse`, `systolic` and so on.")
    value = serializers.FloatField(help_text="In `unit`.")
    unit = serializers.CharField(help_text="UCUM.")
    loinc = serializers.CharField(help_text="LOINC code of the kind.")
    taken_at = serializers.DateTimeField(help_text="When it was measured.")
    is_unusual = serializers.BooleanField(
        help_text="Outside what is usual at the patient's age: look twice."
    )
