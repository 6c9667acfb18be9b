"""Every topic of a consultation's room, and every message in it. No message carries its words."""

from functools import partial

from django.db import transaction

from consult.models import Consultation, Opinion, RefillRequest
from esanjeevani.live import hub
from queues.broadcast import doctor_topic


def room_topic(consultation_id: int) -> str:
    return f"room.{consultation_id}"


def call_topic(consultation_id: int) -> str:
    """Who is in the call: those who wait, and pages that only read, hear nothing of it."""
    return f"call.{consultation_id}"


def page_topic(consultation_id: int, role: str, page: str) -> str:
    """One page alone, while it has the seat of its role in the call."""
    return f"call.{consultation_id}.{role}.{page}"


def message_posted(consultation_id: int, message_id: int) -> None:
    """There is a message with this id: pages fetch what they do not have."""
    _tell(consultation_id, type="message", id=message_id)


def consultation_changed(consultation: Consultation) -> None:
    """The consultation moved to another state."""
    _tell(consultation.pk, type="state", state=str(consultation.state))
    centre_changed(consultation)


def centre_topic(facility_id: int) -> str:
    return f"centre.{facility_id}"


def centre_changed(consultation: Consultation) -> None:
    """Something moved in a health centre's case: its desk looks again. Nothing for a patient at home."""
    if consultation.facility_id is not None:
        desk_changed(consultation.facility_id)


def desk_changed(facility_id: int) -> None:
    """Somebody came to a health centre's list, or left it."""
    transaction.on_commit(partial(hub.publish, centre_topic(facility_id), type="centre"))


def elsewhere_changed(patient_id: int) -> None:
    """A consent was answered, or records from elsewhere came: the room of the doctor who asked."""
    rooms = Consultation.objects.filter(patient=patient_id, state=Consultation.State.IN_PROGRESS)
    for pk in rooms.values_list("pk", flat=True):
        _tell(pk, type="elsewhere")


def written_changed(consultation: Consultation) -> None:
    """A written case came to a clinic or was taken: the desks of its doctors look again."""
    if consultation.is_written:
        asked_changed(asked_topic(consultation.clinic_id))


def asked_topic(clinic_id: int) -> str:
    """What is asked of whoever is on duty in a clinic, besides its line."""
    return f"asked.{clinic_id}"


def asked_changed(topic: str) -> None:
    """Something was asked, taken or answered: the desks that show it look again."""
    transaction.on_commit(partial(hub.publish, topic, type="asked"))


def opinion_changed(opinion: Opinion) -> None:
    """A specialist was asked, joined or answered: the room, and the desks of the clinic asked."""
    _tell(opinion.consultation_id, type="opinion")
    asked_changed(asked_topic(opinion.clinic_id))


def refill_changed(refill: RefillRequest) -> None:
    """A refill was asked of a doctor, or is no longer."""
    asked_changed(doctor_topic(refill.doctor_id))


def instruction_changed(consultation: Consultation) -> None:
    """The doctor asked for something, or it was done."""
    _tell(consultation.pk, type="instruction")
    centre_changed(consultation)


def prescription_changed(consultation_id: int) -> None:
    """It was issued, replaced, or its PDF is ready."""
    _tell(consultation_id, type="prescription")


def emergency_declared(consultation_id: int) -> None:
    """The doctor called it an emergency: the patient's page says where to go."""
    _tell(consultation_id, type="emergency")


def call_in_text(consultation_id: int) -> None:
    """The doctor chose to go on without sound and picture."""
    _tell(consultation_id, type="call", event="text")


def phone_let_in(consultation_id: int, *, may_join: bool) -> None:
    """The phone of a patient at a health centre may join the call, or may no longer."""
    _tell(consultation_id, type="phone", phone=may_join)


def _tell(consultation_id: int, **message: object) -> None:
    transaction.on_commit(partial(hub.publish, room_topic(consultation_id), **message))
