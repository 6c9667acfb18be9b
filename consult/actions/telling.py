"""The SMS of a consultation: to the patient, by the registered texts."""

from accounts.actions import queueing_sms
from consult.links import sms_link
from consult.models import Consultation
from esanjeevani.sql.composed import Question


def tell(consultation: Consultation, key: str, **slots: object) -> None:
    """Write one SMS to the patient's number, in the patient's language."""
    telling(consultation, key, **slots).ask()


def telling(consultation: Consultation, key: str, **slots: object) -> Question:
    """As tell(), to be asked together() with what is told of. Only in a transaction."""
    patient = consultation.patient
    return queueing_sms(
        to=patient.account.phone,
        key=key,
        language=patient.language,
        is_secret=False,
        **slots,
        link=sms_link(consultation),
    )


def tell_at_home(consultation: Consultation, key: str, **slots: object) -> None:
    """As tell(), but nothing about a place in the line to somebody who sits at a health centre."""
    if consultation.facility_id is None:
        tell(consultation, key, **slots)
