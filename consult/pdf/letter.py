"""The letter of referral on one A4 page, in English and the patient's language.

A pure function of the row, as the prescription.
"""

from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Patient
from consult.models import Referral
from consult.pdf.typesetter import typeset
from consult.pdf.words import measured_words, since_words


def render_letter(referral: Referral) -> bytes:
    """The PDF of a letter: about 20 ms of CPU."""
    return typeset("letter.typ", _page(referral), referral.issued_at)


def _page(referral: Referral) -> dict[str, Any]:
    document = referral.document
    languages = list(dict.fromkeys(["en", document["language"]]))
    return {
        "site": settings.SITE_NAME,
        "number": referral.number,
        "document": document,
        "texts": [_texts(referral, language) for language in languages],
    }


def _texts(referral: Referral, language: str) -> dict[str, Any]:
    """Every word that depends on the language."""
    document = referral.document
    with translation.override(language):
        return {
            "title": _("Referral"),
            "to": _("To"),
            "where": document["where"].get(language) or document["where"]["en"],
            "speciality": document["speciality"].get(language) or document["speciality"]["en"],
            "urgency": str(Referral.Urgency(document["urgency"]).label),
            "sex": str(Patient.Sex(document["patient"]["sex"]).label),
            "since": since_words(document["since"]),
            "issued": date_format(timezone.localtime(referral.issued_at), "DATETIME_FORMAT"),
            "vitals": measured_words(document["vitals"]),
            "patient": _("Patient"),
            "years": _("years"),
            "number": _("Patient number"),
            "phone": _("Phone"),
            "reason": _("Reason"),
            "complaint": _("Complaint"),
            "history": _("History"),
            "allergies": _("Allergies"),
            "medicines": _("Medicines now"),
            "pregnant": _("Pregnant"),
            "measured": _("Vital signs"),
            "examination": _("Examination"),
            "findings": _("Findings"),
            "diagnosis": _("Diagnosis"),
            "doctor": _("Referred by"),
            "registration": _("Registration number"),
            "tele": _(
                "This letter follows a teleconsultation: the patient was not examined in person."
            ),
            "emergency": _("In an emergency call %(number)s or go to the nearest hospital.")
            % {"number": settings.EMERGENCY_NUMBER},
        }
