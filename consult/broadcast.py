"""Every topic of a consultation's room, and every message in it. No message carries its words."""

from functools import partial

from django.db import transaction

from consult.models import Consultation
from esanjeevani import live


def room_topic(consultation_id: int) -> str:
    return f"room.{consultation_id}"


def message_posted(consultation_id: int, message_id: int) -> None:
    """There is a message with this id: pages fetch what they do not have."""
    _tell(consultation_id, type="message", id=message_id)


def consultation_changed(consultation: Consultation) -> None:
    """The consultation moved to another state."""
    _tell(consultation.pk, type="state", state=str(consultation.state))


def prescription_changed(consultation_id: int) -> None:
    """It was issued, replaced, or its PDF is ready."""
    _tell(consultation_id, type="prescription")


def _tell(consultation_id: int, **message: object) -> None:
    transaction.on_commit(partial(live.publish, room_topic(consultation_id), **message))
