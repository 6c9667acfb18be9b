"""What the API reads and answers about people and places."""

from typing import Any

from rest_framework import serializers

from accounts.api.base import Input
from accounts.models import ApiToken, District, Facility, Patient, State

LANGUAGE = serializers.ChoiceField(choices=[("en", "English"), ("hi", "हिन्दी")], default="en")


class NoticeOutput(serializers.Serializer[Any]):
    version = serializers.CharField()
    address = serializers.URLField(help_text="The page with its words.")
    is_accepted = serializers.BooleanField()


class PhoneInput(Input):
    phone = serializers.CharField(
        max_length=40, help_text="An Indian mobile number, typed in any usual way."
    )


class CodeInput(PhoneInput):
    code = serializers.CharField(max_length=20, help_text="The 6 digits of the newest SMS.")
    device = serializers.CharField(
        max_length=80, help_text="The person's own name for this device."
    )


class StaffInput(CodeInput):
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    code = serializers.CharField(max_length=20, help_text="The 6 digits of the authenticator app.")


class DeviceOutput(serializers.Serializer[ApiToken]):
    uid = serializers.UUIDField()
    device = serializers.CharField()
    has_second_factor = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_this = serializers.SerializerMethodField(help_text="The one that asks.")

    def get_is_this(self, token: ApiToken) -> bool:
        view = self.context["view"]
        return bool(token == view.request.auth)


class NewTokenOutput(DeviceOutput):
    key = serializers.SerializerMethodField(help_text="Shown once. Send it as a bearer token.")

    def get_key(self, token: ApiToken) -> str:
        return str(self.context["key"])

    def get_is_this(self, token: ApiToken) -> bool:
        return True


class PersonOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    phone = serializers.CharField(source="masked_phone")
    language = serializers.CharField()
    is_doctor = serializers.BooleanField()
    facilities = serializers.ListField(
        child=serializers.DictField(), help_text="Health centres of the person's open posts."
    )


class StateOutput(serializers.Serializer[State]):
    code = serializers.IntegerField(help_text="Local Government Directory.")
    name = serializers.CharField(source="local_name")


class DistrictOutput(serializers.Serializer[District]):
    code = serializers.IntegerField(help_text="Local Government Directory.")
    name = serializers.CharField(source="local_name")


class FacilityOutput(serializers.Serializer[Facility]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="local_name")
    kind = serializers.CharField()


class PatientInput(Input):
    """Date of birth or age. Under 18 an adult is needed (Telemedicine Practice Guidelines 3.3.3)."""

    name = serializers.CharField(max_length=120)
    sex = serializers.ChoiceField(choices=Patient.Sex.choices)
    birth_date = serializers.DateField(required=False)
    age = serializers.IntegerField(required=False, min_value=0, max_value=125, help_text="Years.")
    address = serializers.CharField(max_length=200)
    state = serializers.IntegerField(min_value=1, max_value=99999, help_text="LGD code.")
    district = serializers.IntegerField(
        required=False, min_value=1, max_value=9999999, help_text="LGD code."
    )
    language = LANGUAGE
    guardian_name = serializers.CharField(max_length=120, required=False)
    guardian_relation = serializers.CharField(max_length=60, required=False)
    abha_number = serializers.CharField(max_length=20, required=False, help_text="14 digits.")
    sure = serializers.BooleanField(
        default=False, help_text="Save although `looks_alike` was answered."
    )


class PatientOutput(serializers.Serializer[Patient]):
    uid = serializers.UUIDField()
    number = serializers.CharField(help_text="The patient number, 12 digits.")
    name = serializers.CharField()
    sex = serializers.CharField()
    age = serializers.IntegerField()
    birth_date = serializers.DateField()
    birth_date_is_exact = serializers.BooleanField()
    address = serializers.CharField()
    state = serializers.IntegerField(source="state_id")
    district = serializers.IntegerField(source="district_id", allow_null=True)
    language = serializers.CharField()
    guardian_name = serializers.CharField()
    guardian_relation = serializers.CharField()
    abha_number = serializers.CharField(source="masked_abha", help_text="Its last digits.")
    abha_address = serializers.CharField()
    abha_is_verified = serializers.BooleanField(help_text="By the ABDM gateway.")
