"""Who a record is about and who made it: Patient, Practitioner, Organization."""

from uuid import uuid5

from django.conf import settings

from accounts.checks import is_luhn
from accounts.models import Doctor, Facility, Patient
from consult.fhir import codes
from consult.fhir.parts import (
    OURS,
    Resource,
    clean,
    concept,
    filled,
    identifier,
    narrative,
    our_system,
    resource,
)

GENDERS = {Patient.Sex.FEMALE: "female", Patient.Sex.MALE: "male", Patient.Sex.OTHER: "other"}


def patient_id(patient: Patient) -> str:
    return str(patient.uid)


def patient(row: Patient) -> Resource:
    """A birth date reckoned from an age is a year, not a day."""
    born = row.birth_date.isoformat() if row.birth_date_is_exact else f"{row.birth_date.year}"
    return resource(
        "Patient",
        patient_id(row),
        text=narrative([f"{row.name}, {row.sex}, born {born}", row.address]),
        identifier=_patient_identifiers(row),
        name=[{"text": clean(row.name)}],
        telecom=[{"system": "phone", "value": row.account.phone, "use": "mobile"}],
        gender=GENDERS[Patient.Sex(row.sex)],
        birthDate=born,
        address=[
            filled(
                {
                    "text": clean(row.address),
                    "district": row.district.name if row.district else "",
                    "state": row.state.name,
                    "country": "IN",
                }
            )
        ],
        contact=[
            {
                "relationship": [concept(clean(row.guardian_relation or "guardian"))],
                "name": {"text": clean(row.guardian_name)},
            }
        ]
        if clean(row.guardian_name)
        else None,
        communication=[
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": row.language}]}}
        ],
    )


def _patient_identifiers(row: Patient) -> list[Resource]:
    """Our number; the ABHA number "official" only where the gateway has said that it is right."""
    ids = [identifier(codes.MEDICAL_RECORD_NUMBER, our_system("patient"), row.number)]
    use = "official" if row.abha_is_verified else "secondary"
    abha = settings.IDENTIFIER_SYSTEMS["abha"]
    if row.abha_number and is_luhn(row.abha_number):
        ids.append(identifier(codes.ABHA_NUMBER, abha, row.dashed_abha, use=use))
    if row.abha_address:
        ids.append(identifier(codes.ABHA_ADDRESS, abha, row.abha_address, use=use))
    return ids


def practitioner_id(doctor: Doctor) -> str:
    """A doctor has no address of a page, so no random id of its own: one made of the registration."""
    return str(uuid5(OURS, f"doctor/{doctor.council}/{doctor.registration_number}"))


def practitioner(doctor: Doctor) -> Resource:
    """An account may have no name; the guide wants one, and the register knows the number."""
    contact = clean(doctor.contact)
    return resource(
        "Practitioner",
        practitioner_id(doctor),
        text=narrative([f"{doctor.user.name}, {doctor.qualification}, {doctor.council}"]),
        identifier=[
            identifier(
                codes.MEDICAL_LICENCE,
                our_system("registration"),
                clean(doctor.registration_number),
                assigner={"display": clean(doctor.council)},
            ),
            *_hpr(doctor),
        ],
        name=[{"text": clean(doctor.user.name) or clean(doctor.registration_number)}],
        telecom=[{"system": "email" if "@" in contact else "phone", "value": contact}]
        if contact
        else None,
        qualification=[{"code": concept(clean(doctor.qualification))}],
    )


def _hpr(doctor: Doctor) -> list[Resource]:
    if not doctor.hpr_id:
        return []
    return [identifier(codes.HPR_ID, settings.IDENTIFIER_SYSTEMS["hpr"], doctor.hpr_id)]


def organization_id(facility: Facility) -> str:
    return str(uuid5(OURS, f"facility/{facility.pk}"))


def organization(facility: Facility) -> Resource:
    """By its number in the national registry of facilities, or by ours."""
    system, value = our_system("facility"), str(facility.pk)
    if facility.hfr_id:
        system, value = settings.IDENTIFIER_SYSTEMS["hfr"], facility.hfr_id
    return resource(
        "Organization",
        organization_id(facility),
        text=narrative([facility.name, facility.address]),
        identifier=[identifier(codes.PROVIDER_NUMBER, system, value)],
        name=clean(facility.name),
        telecom=[{"system": "phone", "value": facility.phone}] if facility.phone else None,
        address=[{"text": clean(facility.address), "country": "IN"}] if facility.address else None,
    )
