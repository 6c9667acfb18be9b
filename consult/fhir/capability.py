"""What the FHIR server can do, as FHIR asks it to be said."""

from django.conf import settings

from consult.fhir.codes import PROFILES
from consult.fhir.parts import Resource

BY = [
    {"name": "_id", "type": "token"},
    {"name": "patient", "type": "reference"},
]


def capability_statement(kinds: dict[str, str]) -> Resource:
    """Of these kinds of resources, each with the name by which its date is searched, or empty."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-28",
        "kind": "instance",
        "implementation": {
            "description": f"{settings.SITE_NAME}: designed for ABDM; not certified",
            "url": f"{settings.SITE_URL}/fhir",
        },
        "software": {"name": "eSanjeevani Open", "version": "0.1.0"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Authorization: Bearer, a person's or a machine's key"},
                "resource": [
                    *({"type": kind, **_abilities(kind, date)} for kind, date in kinds.items()),
                    {
                        "type": "Bundle",
                        "profile": f"{PROFILES}/DocumentBundle",
                        "interaction": [{"code": "read"}],
                    },
                ],
            }
        ],
    }


def _abilities(kind: str, date: str) -> Resource:
    codes = ["read", "search-type", *(["create"] if kind == "Observation" else [])]
    return {
        "profile": f"{PROFILES}/{kind}",
        "interaction": [{"code": code} for code in codes],
        "searchParam": [*BY, {"name": date, "type": "date"}] if date else BY,
    }
