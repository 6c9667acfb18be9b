from consult.models.abdm import AbdmConsent, AbdmMessage, AbdmRecord, CareContext
from consult.models.attachments import Attachment
from consult.models.cases import Case
from consult.models.chat import ChatMessage
from consult.models.consents import Consent
from consult.models.consultations import Consultation
from consult.models.dispensing import Dispensing
from consult.models.follow_ups import FollowUp
from consult.models.instructions import Instruction
from consult.models.notes import Note
from consult.models.observations import Observation
from consult.models.opinions import Opinion
from consult.models.prescriptions import Prescription, PrescriptionLine
from consult.models.referrals import Referral
from consult.models.voices import Feedback, Grievance

__all__ = [
    "AbdmConsent",
    "AbdmMessage",
    "AbdmRecord",
    "Attachment",
    "CareContext",
    "Case",
    "ChatMessage",
    "Consent",
    "Consultation",
    "Dispensing",
    "Feedback",
    "FollowUp",
    "Grievance",
    "Instruction",
    "Note",
    "Observation",
    "Opinion",
    "Prescription",
    "PrescriptionLine",
    "Referral",
]
