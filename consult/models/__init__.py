from consult.models.abdm import AbdmConsent, AbdmMessage, AbdmRecord, CareContext
from consult.models.abdm_links import LinkRequest, SharedProfile
from consult.models.attachments import Attachment
from consult.models.calls import AbuseReport, CallEvent, CallLeg
from consult.models.cases import Case
from consult.models.chat import ChatMessage
from consult.models.consents import Consent
from consult.models.consultations import Consultation
from consult.models.dispensing import Dispensing
from consult.models.follow_ups import FollowUp
from consult.models.formulary import (
    DoseRange,
    Drug,
    DrugName,
    DrugRule,
    FormularyChange,
    Interaction,
    Product,
)
from consult.models.history import (
    EmergencyReferral,
    FollowUpLink,
    InPersonVisit,
    PaperPrescription,
)
from consult.models.instructions import Instruction
from consult.models.mode import Mode
from consult.models.notes import Note
from consult.models.observations import Observation
from consult.models.opinions import Opinion
from consult.models.prescriptions import Prescription, PrescriptionLine
from consult.models.referrals import Referral
from consult.models.voices import Feedback, Grievance
from consult.models.writing import MedicineSet, RefillRequest, SigningKey, WarningReason

__all__ = [
    "AbdmConsent",
    "AbdmMessage",
    "AbdmRecord",
    "AbuseReport",
    "Attachment",
    "CallEvent",
    "CallLeg",
    "CareContext",
    "Case",
    "ChatMessage",
    "Consent",
    "Consultation",
    "Dispensing",
    "DoseRange",
    "Drug",
    "DrugName",
    "DrugRule",
    "EmergencyReferral",
    "Feedback",
    "FollowUp",
    "FollowUpLink",
    "FormularyChange",
    "Grievance",
    "InPersonVisit",
    "Instruction",
    "Interaction",
    "LinkRequest",
    "MedicineSet",
    "Mode",
    "Note",
    "Observation",
    "Opinion",
    "PaperPrescription",
    "Prescription",
    "PrescriptionLine",
    "Product",
    "Referral",
    "RefillRequest",
    "SharedProfile",
    "SigningKey",
    "WarningReason",
]
