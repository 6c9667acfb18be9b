"""How a patient stands with the national network, as they read it: records shown, consents, who looked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEvent, Patient
from consult.models import AbdmConsent, Consultation

SHOWN = 50
KIND_NAMES = {
    "OPConsultation": gettext_lazy("Consultations"),
    "Prescription": gettext_lazy("Prescriptions"),
    "WellnessRecord": gettext_lazy("Vital signs"),
    "DiagnosticReport": gettext_lazy("Test reports"),
    "DischargeSummary": gettext_lazy("Hospital discharge"),
    "ImmunizationRecord": gettext_lazy("Vaccinations"),
    "HealthDocumentRecord": gettext_lazy("Other documents"),
    "Invoice": gettext_lazy("Bills"),
}
# What the audit calls it, and what it means to the patient.
LOOKS = {
    "abdm.ask": gettext_lazy("Asked you for your records elsewhere"),
    "abdm.consent": gettext_lazy("Your consent arrived"),
    "abdm.consent_ended": gettext_lazy("A consent ended"),
    "abdm.discover": gettext_lazy("Your consultations were looked for from an ABHA app"),
    "abdm.file": gettext_lazy("Opened a file of your records from elsewhere"),
    "abdm.link": gettext_lazy("Consultations were put into your ABHA app"),
    "abdm.link_code": gettext_lazy("A code for your ABHA app was sent by SMS"),
    "abdm.link_refused": gettext_lazy("A wrong try to link your records"),
    "abdm.read": gettext_lazy("Read your records from elsewhere"),
    "abdm.received": gettext_lazy("Received your records from elsewhere"),
    "abdm.refused": gettext_lazy("Asked for records without a consent in force"),
    "abdm.transfer": gettext_lazy("Your records were sent under your consent"),
    "abha.verify": gettext_lazy("Your ABHA was verified"),
    "attachment.read": gettext_lazy("Opened one of your files"),
    "case.read": gettext_lazy("Opened your case"),
    "consultation.call": gettext_lazy("Called you"),
    "consultation.read": gettext_lazy("Opened your consultation"),
    "patient.enrol": gettext_lazy("Took you in at a health centre"),
    "patient.read": gettext_lazy("Opened your details"),
    "patient.update": gettext_lazy("Changed your details"),
    "prescription.issue": gettext_lazy("Issued a prescription"),
    "prescription.print": gettext_lazy("Printed your prescription"),
    "prescription.read": gettext_lazy("Opened your prescription"),
}


@dataclass(frozen=True)
class Look:
    """One time that somebody else saw or changed something of this patient."""

    at: datetime
    who: str
    what: str
    refused: bool


def looks_at(patient: Patient) -> list[Look]:
    """By others than the patient's own account, newest first; what one did often within a minute, once."""
    events = AuditEvent.objects.filter(patient=patient).exclude(by=patient.account_id)
    newest = events.select_related("by").order_by("-at")[:SHOWN]
    return list(dict.fromkeys(_look(one) for one in newest))


def _look(event: AuditEvent) -> Look:
    who = event.by.name if event.by else ""
    what = LOOKS.get(event.action) or _("Worked on your records")
    minute = event.at.replace(second=0, microsecond=0)
    return Look(minute, who or _("The ABHA network"), str(what), event.refused)


def consents_of(patient: Patient) -> list[AbdmConsent]:
    """Given and asked for, newest first."""
    rows = AbdmConsent.objects.filter(patient=patient).select_related("requested_by")
    return list(rows.order_by("-pk")[:SHOWN])


def kinds_in_words(consent: AbdmConsent) -> str:
    return ", ".join(str(KIND_NAMES.get(kind, kind)) for kind in consent.hi_types)


def shown_elsewhere(patient: Patient) -> Any:
    """The completed consultations, each with its care context where one was made."""
    done = Consultation.objects.filter(patient=patient, state=Consultation.State.COMPLETED)
    return done.select_related("clinic", "care_context").order_by("-ended_at")[:SHOWN]
