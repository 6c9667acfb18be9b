from accounts.actions.audit import event, record, refuse
from accounts.actions.messages import deliver, queue_sms, queueing_sms, sweep_messages, sweep_old
from accounts.actions.patients import (
    LooksAlike,
    enrol,
    register_at_centre,
    register_patient,
    update_patient,
)
from accounts.actions.signing_in import TooMany, accept_notice, send_code, sign_in, verify_doctor

__all__ = [
    "LooksAlike",
    "TooMany",
    "accept_notice",
    "deliver",
    "enrol",
    "event",
    "queue_sms",
    "queueing_sms",
    "record",
    "refuse",
    "register_at_centre",
    "register_patient",
    "send_code",
    "sign_in",
    "sweep_messages",
    "sweep_old",
    "update_patient",
    "verify_doctor",
]
