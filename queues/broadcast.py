"""Every topic of the live updates, and every message about the line. No message names anybody."""

from functools import partial

from django.db import transaction

from esanjeevani.live import hub
from queues.models import Token


def line_topic(clinic_id: int) -> str:
    return f"line.{clinic_id}"


def token_topic(token_id: int) -> str:
    return f"token.{token_id}"


def doctor_topic(doctor_id: int) -> str:
    return f"doctor.{doctor_id}"


def line_changed(clinic_id: int) -> None:
    """Somebody came or went, or a doctor did: pages of this line look again."""
    transaction.on_commit(partial(hub.publish, line_topic(clinic_id), type="line"))


def token_changed(token: Token, doctor_id: int | None = None) -> None:
    """This one's own state moved: told at once. Its line looks again, by the same message.

    So does the desk of the doctor who has it, or had it: `doctor_id`, where the token says no more.
    """
    topics = [token_topic(token.pk), line_topic(token.clinic_id)]
    if doctor := token.doctor_id or doctor_id:
        topics.append(doctor_topic(doctor))
    transaction.on_commit(partial(hub.publish, *topics, type="token", state=str(token.state)))
