"""What the API answers about clinics, lines and duties."""

from typing import Any

from rest_framework import serializers

from accounts.api.reading import Input
from queues.line import Standing
from queues.models import Clinic, Duty, Token


class WaitOutput(serializers.Serializer[Any]):
    """An expected wait, as a span."""

    low = serializers.IntegerField(help_text="Minutes, at least.")
    high = serializers.IntegerField(help_text="Minutes, at most.")


class ClinicOutput(serializers.Serializer[Standing]):
    """A clinic as it stands now."""

    uid = serializers.UUIDField(source="clinic.uid", help_text="Id of the clinic.")
    name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    speciality = serializers.CharField(
        source="clinic.speciality.local_name",
        help_text="Its speciality, in the language of Accept-Language.",
    )
    state = serializers.IntegerField(source="clinic.state_id", help_text="LGD code of its state.")
    is_open = serializers.BooleanField(help_text="It is within its hours now.")
    opens_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When it opens next; null while it is open, or when no hour is set.",
    )
    doctors = serializers.IntegerField(help_text="On duty and not paused.")
    waiting = serializers.IntegerField(help_text="People in its line now.")
    wait = WaitOutput(
        allow_null=True, help_text="Expected for who comes now; null while no doctor is on duty."
    )
    has_room = serializers.BooleanField(
        help_text="Neither the line nor the day's number of tokens is full."
    )
    suits = serializers.BooleanField(help_text="This patient's age and sex.")
    takes_patients = serializers.BooleanField(help_text="A token would be given now.")


class TokenOutput(serializers.Serializer[Token]):
    """A place in the line of a clinic."""

    uid = serializers.UUIDField(help_text="Id of the token.")
    number = serializers.IntegerField(help_text="The number of the day in its clinic, from 1.")
    day = serializers.DateField(help_text="The day for which it was given, `YYYY-MM-DD`.")
    state = serializers.ChoiceField(
        choices=Token.State.choices,
        help_text="How far it is; `called` is to be answered by `answer_by`.",
    )
    called_at = serializers.DateTimeField(
        allow_null=True, help_text="When the doctor called last; null before."
    )
    answer_by = serializers.DateTimeField(
        allow_null=True, help_text="Until when a call must be answered."
    )


class DutyInput(Input):
    """Where to go on duty."""

    clinic = serializers.UUIDField(
        help_text="Id of a clinic of the doctor's speciality, as `GET duty/clinics/` gives it."
    )


class DutyOutput(serializers.Serializer[Duty]):
    """A clinic in which the doctor is on duty."""

    clinic = serializers.UUIDField(source="clinic.uid", help_text="Id of the clinic.")
    name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    started_at = serializers.DateTimeField(help_text="Since when.")
    is_paused = serializers.SerializerMethodField(
        help_text="True: nobody is called for a while, the line is kept."
    )

    def get_is_paused(self, duty: Duty) -> bool:
        return duty.paused_at is not None


class PostOutput(serializers.Serializer[Clinic]):
    """A clinic in which the doctor may go on duty."""

    uid = serializers.UUIDField(help_text="Id of the clinic.")
    name = serializers.CharField(
        source="local_name", help_text="In the language of Accept-Language."
    )
    state = serializers.IntegerField(source="state_id", help_text="LGD code of its state.")
    is_on_duty = serializers.BooleanField(help_text="The doctor is on duty there now.")


class LeftBehindOutput(serializers.Serializer[Any]):
    """A line that has no doctor now."""

    clinic = serializers.UUIDField(source="clinic.uid", help_text="Id of the clinic.")
    name = serializers.CharField(
        source="clinic.local_name", help_text="In the language of Accept-Language."
    )
    waiting = serializers.IntegerField(help_text="People who wait on there.")
