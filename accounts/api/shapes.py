"""What the API reads and answers about people and places."""

from typing import Any

from rest_framework import serializers

from accounts.api.reading import Input
from accounts.models import ApiToken, District, Facility, Patient, State


def _language(what_for: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=[("en", "English"), ("hi", "हिन्दी")], default="en", help_text=what_for
    )


CONSENT_LANGUAGE = _language("In which the words of the consent were shown or read out.")


class NoticeOutput(serializers.Serializer[Any]):
    """The privacy notice, and whether who asks has accepted it."""

    version = serializers.CharField(help_text="The day from which it holds, `YYYY-MM-DD`.")
    address = serializers.URLField(help_text="The page with its words.")
    is_accepted = serializers.BooleanField(
        help_text="False: nothing of patients is shown before `POST notice/`."
    )


class PhoneInput(Input):
    """To whom a code is sent."""

    phone = serializers.CharField(
        max_length=40, help_text="An Indian mobile number, typed in any usual way."
    )


class CodeInput(PhoneInput):
    """A patient's sign-in."""

    code = serializers.CharField(max_length=20, help_text="The 6 digits of the newest SMS.")
    device = serializers.CharField(
        max_length=80, help_text="The person's own name for this device."
    )


class StaffInput(CodeInput):
    """A doctor's or health worker's sign-in."""

    password = serializers.CharField(
        max_length=128, trim_whitespace=False, help_text="As on the pages; spaces count."
    )
    code = serializers.CharField(max_length=20, help_text="The 6 digits of the authenticator app.")


class DeviceOutput(serializers.Serializer[ApiToken]):
    """One device on which this person is signed in."""

    uid = serializers.UUIDField(help_text="Id of the token, to end it by `DELETE devices/`.")
    device = serializers.CharField(help_text="The name that was given at sign-in.")
    has_second_factor = serializers.BooleanField(
        help_text="Opened with password and authenticator app, as staff do."
    )
    created_at = serializers.DateTimeField(help_text="When it was signed in.")
    expires_at = serializers.DateTimeField(help_text="When it has to sign in anew.")
    is_this = serializers.SerializerMethodField(help_text="The one that asks.")

    def get_is_this(self, token: ApiToken) -> bool:
        view = self.context["view"]
        return bool(token == view.request.auth)


class NewTokenOutput(DeviceOutput):
    """The token of a sign-in."""

    key = serializers.SerializerMethodField(help_text="Shown once. Send it as a bearer token.")

    def get_key(self, token: ApiToken) -> str:
        return str(self.context["key"])

    def get_is_this(self, token: ApiToken) -> bool:
        return True


class FacilityOutput(serializers.Serializer[Facility]):
    """A health facility."""

    id = serializers.IntegerField(source="pk", help_text="Number of the facility in this service.")
    name = serializers.CharField(
        source="local_name", help_text="In the language of Accept-Language."
    )
    kind = serializers.CharField(
        help_text="What it is: `sub_centre`, `phc`, `chc`, `district_hospital` or"
        " `medical_college`."
    )


class PersonOutput(serializers.Serializer[Any]):
    """The person behind the token."""

    name = serializers.CharField(help_text="Empty for an account that never gave one.")
    phone = serializers.CharField(
        source="masked_phone", help_text="Masked: the country code and the last three digits."
    )
    language = serializers.CharField(
        help_text="Code of the language of the person's pages, such as `en`."
    )
    is_doctor = serializers.BooleanField(
        help_text="True for a doctor who signed in with both factors."
    )
    facilities = FacilityOutput(many=True, help_text="Health centres of the person's open posts.")


class StateOutput(serializers.Serializer[State]):
    """A state or union territory."""

    code = serializers.IntegerField(help_text="Local Government Directory.")
    name = serializers.CharField(
        source="local_name", help_text="In the language of Accept-Language."
    )


class DistrictOutput(serializers.Serializer[District]):
    """A district."""

    code = serializers.IntegerField(help_text="Local Government Directory.")
    name = serializers.CharField(
        source="local_name", help_text="In the language of Accept-Language."
    )


class PatientInput(Input):
    """Date of birth or age. Under 18 an adult is needed (Telemedicine Practice Guidelines 3.3.3)."""

    name = serializers.CharField(max_length=120, help_text="As it is to stand on the prescription.")
    sex = serializers.ChoiceField(
        choices=Patient.Sex.choices, help_text="As it is to stand on the prescription."
    )
    birth_date = serializers.DateField(
        required=False, help_text="`YYYY-MM-DD`. Left out where only the age is known."
    )
    age = serializers.IntegerField(required=False, min_value=0, max_value=125, help_text="Years.")
    address = serializers.CharField(max_length=200, help_text="House, street, village or town.")
    state = serializers.IntegerField(min_value=1, max_value=99999, help_text="LGD code.")
    district = serializers.IntegerField(
        required=False, min_value=1, max_value=9999999, help_text="LGD code."
    )
    language = _language("For messages and the prescription.")
    guardian_name = serializers.CharField(
        max_length=120, required=False, help_text="The adult who comes along; needed under 18."
    )
    guardian_relation = serializers.CharField(
        max_length=60,
        required=False,
        help_text="What the adult is to the patient, such as `mother`.",
    )
    abha_number = serializers.CharField(max_length=20, required=False, help_text="14 digits.")
    sure = serializers.BooleanField(
        default=False, help_text="Save although `looks_alike` was answered."
    )


class PatientOutput(serializers.Serializer[Patient]):
    """A person who is treated."""

    uid = serializers.UUIDField(help_text="Id of the patient in this API.")
    number = serializers.CharField(help_text="The patient number, 12 digits.")
    name = serializers.CharField(help_text="As it stands on the prescription.")
    sex = serializers.CharField(help_text="`female`, `male` or `other`.")
    age = serializers.IntegerField(help_text="Whole years, today.")
    birth_date = serializers.DateField(
        help_text="Reckoned from an age where `birth_date_is_exact` is false."
    )
    birth_date_is_exact = serializers.BooleanField(help_text="False: only an age was told.")
    address = serializers.CharField(help_text="House, street, village or town.")
    state = serializers.IntegerField(source="state_id", help_text="LGD code of the state.")
    district = serializers.IntegerField(
        source="district_id",
        allow_null=True,
        help_text="LGD code of the district; null where none was told.",
    )
    language = serializers.CharField(
        help_text="Code of the language for messages and the prescription."
    )
    guardian_name = serializers.CharField(help_text="The adult who comes along; empty for none.")
    guardian_relation = serializers.CharField(
        help_text="What the adult is to the patient; empty for none."
    )
    abha_number = serializers.CharField(source="masked_abha", help_text="Its last digits.")
    abha_address = serializers.CharField(
        help_text="Such as `name@abdm`; empty where none is known."
    )
    abha_is_verified = serializers.BooleanField(help_text="By the ABDM gateway.")
