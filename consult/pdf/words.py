"""Words of the prescription and the letter."""

from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from consult.models import Case
from consult.vitals import Vital


@cache
def labels(language: str) -> dict[str, str]:
    """What stands on each prescription: looked up once for each of the languages that we speak."""
    with translation.override(language):
        return _labels()


def _labels() -> dict[str, str]:
    return {
        "title": _("Prescription"),
        "doctor": _("Doctor"),
        "registration": _("Registration number"),
        "patient": _("Patient"),
        "age": _("years"),
        "number": _("Patient number"),
        "address": _("Address"),
        "phone": _("Phone"),
        "with": _("With"),
        "date": _("Date"),
        "clinic": _("Clinic"),
        "complaint": _("Complaint"),
        "history": _("Allergies and current medicines"),
        "pregnant": _("Pregnant"),
        "none": _("none told"),
        "findings": _("Findings"),
        "diagnosis": _("Diagnosis"),
        "provisional": _("provisional"),
        "past": _("Past illnesses and operations"),
        "vitals": _("Measured"),
        "lmp": _("Last period"),
        "medicines": _("Medicines"),
        "medicine": _("Medicine"),
        "morning": _("Morning"),
        "noon": _("Noon"),
        "evening": _("Evening"),
        "night": _("Night"),
        "quantity": _("Quantity"),
        "days": _("Days"),
        "instructions": _("Instructions"),
        "tests": _("Tests"),
        "advice": _("Advice"),
        "red_flags": _("Come back at once if"),
        "follow_up": _("Follow-up on"),
        "check": _("Check this prescription"),
        "code": _("Code"),
        "replaced": _("Replaced by a newer prescription"),
        "version": _("Version"),
        "signed": _("Signed electronically by"),
        "demonstration": _("Signed with a demonstration certificate: not a legal signature."),
        "tele": _("This prescription is generated on a teleconsultation."),
        "emergency": _("In an emergency call %(number)s or go to the nearest hospital.")
        % {"number": settings.EMERGENCY_NUMBER},
    }


def since_words(since: str) -> str:
    """In the language that is active; empty where a health centre did not say, as in an emergency."""
    return str(Case.Since(since).label) if since else ""


def measured_words(measured: dict[str, str]) -> list[str]:
    """Each with its unit, in the language that is active; the two numbers of a blood pressure as one."""
    lines = []
    for kind, value in measured.items():
        vital = Vital.of(kind)
        if kind == "systolic" and "diastolic" in measured:
            value = f"{value}/{measured['diastolic']}"
            lines.append(f"{_('Blood pressure')} {value} {vital.shown_unit}")
        elif kind != "diastolic" or "systolic" not in measured:
            lines.append(f"{vital.label} {value} {vital.shown_unit}")
    return lines
