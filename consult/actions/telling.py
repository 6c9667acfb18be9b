"""The SMS of a consultation: to the patient, by the registered texts."""

from accounts.actions import queue_sms
from consult.links import sms_link
from consult.models import Consultation


def tell(consultation: Consultation, key: str, **slots: object) -> None:
    """Write one SMS to the patient's number, in the patient's language."""
    patient = consultation.patient
    queue_sms(
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
