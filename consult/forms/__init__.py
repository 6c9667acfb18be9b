"""The shape of what people type; a folder by who types it, where one page has several."""

from consult.forms.care import EmergencyForm, PaperForm, RefillForm, VisitForm
from consult.forms.centre.after import DispensingForm, FollowUpForm
from consult.forms.centre.case import CentreCaseForm
from consult.forms.centre.patients import CentrePatientForm, FindForm
from consult.forms.centre.send import SendForm
from consult.forms.centre.vitals import VitalsForm
from consult.forms.colleagues import (
    InstructionForm,
    OpinionAnswerForm,
    OpinionForm,
    ReferralForm,
    TransferForm,
)
from consult.forms.consultation import (
    CHILDBEARING_AGES,
    CaseForm,
    CentreReturnForm,
    CheckForm,
    ConfirmForm,
    FeedbackForm,
    GrievanceForm,
    MessageForm,
    NoteForm,
    ReturnForm,
    UploadField,
    UploadForm,
    why_refused,
)
from consult.forms.elsewhere import ElsewhereForm
from consult.forms.medicines import DraftRows, LineForm, LineFormSet, typed_lines
from consult.forms.noted import note_fields, typed_fields
from consult.forms.untouched import untouched

__all__ = [
    "CHILDBEARING_AGES",
    "CaseForm",
    "CentreCaseForm",
    "CentrePatientForm",
    "CentreReturnForm",
    "CheckForm",
    "ConfirmForm",
    "DispensingForm",
    "DraftRows",
    "ElsewhereForm",
    "EmergencyForm",
    "FeedbackForm",
    "FindForm",
    "FollowUpForm",
    "GrievanceForm",
    "InstructionForm",
    "LineForm",
    "LineFormSet",
    "MessageForm",
    "NoteForm",
    "OpinionAnswerForm",
    "OpinionForm",
    "PaperForm",
    "ReferralForm",
    "RefillForm",
    "ReturnForm",
    "SendForm",
    "TransferForm",
    "UploadField",
    "UploadForm",
    "VisitForm",
    "VitalsForm",
    "note_fields",
    "typed_fields",
    "typed_lines",
    "untouched",
    "why_refused",
]
