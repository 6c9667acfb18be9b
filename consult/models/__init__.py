from consult.models.attachments import Attachment
from consult.models.calls import AbuseReport, CallEvent, CallLeg
from consult.models.chat import ChatMessage
from consult.models.consultations import Consent, Consultation
from consult.models.mode import Mode
from consult.models.notes import Note
from consult.models.prescriptions import Prescription, PrescriptionLine
from consult.models.voices import Feedback, Grievance

__all__ = [
    "AbuseReport",
    "Attachment",
    "CallEvent",
    "CallLeg",
    "ChatMessage",
    "Consent",
    "Consultation",
    "Feedback",
    "Grievance",
    "Mode",
    "Note",
    "Prescription",
    "PrescriptionLine",
]
