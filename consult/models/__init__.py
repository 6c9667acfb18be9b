from consult.models.attachments import Attachment
from consult.models.chat import ChatMessage
from consult.models.consultations import Consent, Consultation
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
from consult.models.notes import Note
from consult.models.prescriptions import Prescription, PrescriptionLine
from consult.models.voices import Feedback, Grievance
from consult.models.writing import MedicineSet, RefillRequest, SigningKey, WarningReason

__all__ = [
    "Attachment",
    "ChatMessage",
    "Consent",
    "Consultation",
    "DoseRange",
    "Drug",
    "DrugName",
    "DrugRule",
    "EmergencyReferral",
    "Feedback",
    "FollowUpLink",
    "FormularyChange",
    "Grievance",
    "InPersonVisit",
    "Interaction",
    "MedicineSet",
    "Note",
    "PaperPrescription",
    "Prescription",
    "PrescriptionLine",
    "Product",
    "RefillRequest",
    "SigningKey",
    "WarningReason",
]
