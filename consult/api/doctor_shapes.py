"""What the API reads and answers on the doctor's side: the desk, ways on, opinions."""

from typing import Any

from rest_framework import serializers

from accounts.api.reading import Input
from accounts.api.shapes import FacilityOutput
from consult.api.shapes import ConsultationOutput, words
from consult.models import Consultation, Opinion, Referral


class ReturnInput(Input):
    """Why a case goes back."""

    reason = serializers.ChoiceField(
        choices=[(r.value, r.label) for r in Consultation.RETURN_REASONS],
        help_text="Why; the patient sees it.",
    )
    words = serializers.CharField(max_length=500, help_text="What the patient should do.")
    clinic = serializers.UUIDField(required=False, help_text="Where the doctor would send it.")


class TransferInput(Input):
    """To whom the case is handed over."""

    clinic = serializers.UUIDField(help_text="Id of a clinic of `colleagues` in `GET ways-on/`.")
    words = serializers.CharField(max_length=500, help_text="What the patient is told.")
    told = serializers.BooleanField(
        help_text="The patient was told that another doctor takes over."
    )


class ReferralInput(Input):
    """Where the patient is to be seen in person: `facility` or `place`."""

    facility = serializers.IntegerField(
        required=False, min_value=1, help_text="Id of one of `facilities` in `GET ways-on/`."
    )
    place = words(120, help_text="Another place, in words.")
    speciality = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="Id of one of `specialities` in `GET ways-on/`; may be left out.",
    )
    urgency = serializers.ChoiceField(choices=Referral.Urgency.choices, help_text="How soon.")
    reason = serializers.CharField(
        max_length=1000, help_text="For the colleague who will see the patient."
    )


class PlaceToGoOutput(serializers.Serializer[Any]):
    """A clinic that may be chosen."""

    uid = serializers.UUIDField(help_text="Id of the clinic.")
    name = serializers.CharField(
        source="local_name", help_text="In the language of Accept-Language."
    )
    speciality = serializers.CharField(
        source="speciality.local_name", help_text="In the language of Accept-Language."
    )


class SpecialityOutput(serializers.Serializer[Any]):
    """A speciality."""

    id = serializers.IntegerField(source="pk", help_text="Its number in this service.")
    code = serializers.CharField(help_text="Its short name, such as `dermatology`.")
    name = serializers.CharField(
        source="local_name", help_text="In the language of Accept-Language."
    )


class WaysOnOutput(serializers.Serializer[Any]):
    """Where one case can go."""

    colleagues = PlaceToGoOutput(many=True, help_text="Clinics to ask, or to hand over to.")
    return_to = PlaceToGoOutput(
        many=True, help_text="Clinics that a health centre may ask instead."
    )
    facilities = FacilityOutput(many=True, help_text="Where the patient may be seen in person.")
    specialities = SpecialityOutput(many=True, help_text="What a letter of referral can name.")


class NumberOutput(serializers.Serializer[Any]):
    """A number to phone."""

    phone = serializers.CharField(help_text="With the country code, such as `+919876543210`.")


class WrittenOutput(serializers.Serializer[Any]):
    """Cases that are answered in writing."""

    pile = ConsultationOutput(many=True, help_text="Nobody has taken these.")
    mine = ConsultationOutput(many=True, help_text="Taken by this doctor, not finished.")


class OpinionInput(Input):
    """What a specialist is asked."""

    clinic = serializers.UUIDField(help_text="Id of a clinic of `colleagues` in `GET ways-on/`.")
    question = serializers.CharField(
        max_length=1000, help_text="What the treating doctor wants to know."
    )


class OpinionAnswerInput(Input):
    """A specialist's opinion."""

    answer = serializers.CharField(
        max_length=2000, help_text="For the treating doctor and the record."
    )


class OpinionOutput(serializers.Serializer[Opinion]):
    """A specialist's opinion, asked or given."""

    uid = serializers.UUIDField(help_text="Id of the opinion.")
    consultation = serializers.UUIDField(
        source="consultation.uid", help_text="Id of the consultation that it is about."
    )
    clinic_name = serializers.CharField(
        source="clinic.local_name",
        help_text="Clinic that is asked, in the language of Accept-Language.",
    )
    question = serializers.CharField(help_text="What the treating doctor wants to know.")
    state = serializers.ChoiceField(choices=Opinion.State.choices, help_text="How far it is.")
    specialist = serializers.SerializerMethodField(help_text="Name of who joined; null before.")
    answer = serializers.CharField(help_text="Empty before it was given.")
    asked_at = serializers.DateTimeField(help_text="When it was asked.")

    def get_specialist(self, opinion: Opinion) -> str | None:
        return opinion.specialist.user.name if opinion.specialist else None


class CallInput(Input):
    """Of which line to call."""

    clinic = serializers.UUIDField(help_text="Id of a clinic in which the doctor is on duty.")


class WaitingOutput(serializers.Serializer[Any]):
    """One patient of a line, as the doctor's desk shows them."""

    consultation = serializers.UUIDField(help_text="Id of the consultation.")
    number = serializers.IntegerField(help_text="Of the token, as the patient knows it.")
    priority = serializers.IntegerField(help_text="0 emergency, 1 priority, 2 in order.")
    name = serializers.CharField(help_text="Name of the patient.")
    age = serializers.IntegerField(help_text="Whole years, today.")
    sex = serializers.CharField(help_text="`female`, `male` or `other`.")
    complaint = serializers.CharField(help_text="What is wrong, in words.")
    is_present = serializers.BooleanField(
        help_text="On the page or at the health centre now; nobody else is called."
    )
    minutes = serializers.IntegerField(help_text="Waiting so far.")


class LineOutput(serializers.Serializer[Any]):
    """One line in which the doctor is on duty."""

    clinic = serializers.UUIDField(source="clinic.uid", help_text="Id of the clinic.")
    name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    is_paused = serializers.BooleanField(help_text="The doctor calls nobody there for a while.")
    waiting = serializers.IntegerField(help_text="People in the line; `rows` may show fewer.")
    rows = WaitingOutput(many=True, help_text="In the order in which they will be called.")


class DeskOutput(serializers.Serializer[Any]):
    """The doctor's desk."""

    held = ConsultationOutput(allow_null=True, help_text="Who was called or is in the room.")
    lines = LineOutput(many=True, help_text="Of each clinic in which the doctor is on duty.")
