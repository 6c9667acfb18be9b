"""What the API answers about clinics, lines and duties."""

from typing import Any

from rest_framework import serializers

from accounts.api.base import Input
from queues.line import Standing
from queues.models import Clinic, Duty, Token


class WaitOutput(serializers.Serializer[Any]):
    low = serializers.IntegerField(help_text="Minutes, at least.")
    high = serializers.IntegerField(help_text="Minutes, at most.")


class ClinicOutput(serializers.Serializer[Standing]):
    """A clinic as it stands now."""

    uid = serializers.UUIDField(source="clinic.uid")
    name = serializers.CharField(source="clinic.local_name")
    speciality = serializers.CharField(source="clinic.speciality.local_name")
    state = serializers.IntegerField(source="clinic.state_id")
    is_open = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)
    doctors = serializers.IntegerField(help_text="On duty and not paused.")
    waiting = serializers.IntegerField()
    wait = WaitOutput(allow_null=True)
    has_room = serializers.BooleanField()
    suits = serializers.BooleanField(help_text="This patient's age and sex.")
    takes_patients = serializers.BooleanField(help_text="A token would be given now.")


class TokenOutput(serializers.Serializer[Token]):
    uid = serializers.UUIDField()
    number = serializers.IntegerField()
    day = serializers.DateField()
    state = serializers.ChoiceField(choices=Token.State.choices)
    called_at = serializers.DateTimeField(allow_null=True)
    answer_by = serializers.DateTimeField(
        allow_null=True, help_text="Until when a call must be answered."
    )


class DutyInput(Input):
    clinic = serializers.UUIDField()


class DutyOutput(serializers.Serializer[Duty]):
    clinic = serializers.UUIDField(source="clinic.uid")
    name = serializers.CharField(source="clinic.local_name")
    started_at = serializers.DateTimeField()
    is_paused = serializers.SerializerMethodField()

    def get_is_paused(self, duty: Duty) -> bool:
        return duty.paused_at is not None


class PostOutput(serializers.Serializer[Clinic]):
    """A clinic in which the doctor may go on duty."""

    uid = serializers.UUIDField()
    name = serializers.CharField(source="local_name")
    state = serializers.IntegerField(source="state_id")
    is_on_duty = serializers.BooleanField()


class LeftBehindOutput(serializers.Serializer[Any]):
    """A line that has no doctor now."""

    clinic = serializers.UUIDField(source="clinic.uid")
    name = serializers.CharField(source="clinic.local_name")
    waiting = serializers.IntegerField()
