from consult.models.attachments import Attachment
from consult.models.chat import ChatMessage
from consult.models.consultations import Consent, Consultation
from consult.models.notes import Note
from consult.models.prescriptions import Prescription, PrescriptionLine
from consult.models.voices import Feedback, Grievance

__all__ = [
    "Attachment",
    "ChatMessage",
    "Consent",
    "Consultation",
    "Feedback",
    "Grievance",
    "Note",
    "Prescription",
    "PrescriptionLine",
]
