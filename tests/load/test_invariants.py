"""What the driver says when something is broken: rows are doctored, and each must be reported."""

from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Message
from bench.load.__main__ import reachable
from bench.load.invariants import Watch
from bench.load.ledger import Ledger
from consult.actions import post_message
from consult.models import Consultation
from queues.models import ClinicDay, Token
from tests.factories import (
    a_clinic,
    a_patient,
    in_the_room,
    on_duty,
    prescribed,
    the_formulary,
    waiting,
)
from tests.running import test_database_url

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def room() -> Consultation:
    """One patient with the doctor and a prescription issued; one who waits."""
    the_formulary()
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    waiting(clinic, a_patient(name="Gopalan Menon"))
    prescribed(consultation)
    Message.objects.update(state="sent", sent_at=timezone.now(), attempts=1)
    consultation.prescriptions.update(pdf="there.pdf")
    return consultation


@pytest.fixture
def watch(room: Consultation) -> Watch:
    return Watch(test_database_url(), Ledger(), reachable())


def received() -> Counter[str]:
    """The gateway got each SMS once."""
    return Counter(str(pk) for pk in Message.objects.values_list("pk", flat=True))


def raw(sql: str, *values: object) -> None:
    """Past every rule of ours, and past constraints that can be dropped for the rest of the test."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_nothing_is_reported_when_nothing_is_broken(room: Consultation, watch: Watch) -> None:
    watch.look()
    said = post_message(consultation=room, by=room.patient.account, client_id=uuid4(), text="Hello")
    watch.ledger.told[str(room.uid)].sent.append(str(said.client_id))
    watch.ledger.told[str(room.uid)].talks["doctor"] = [(said.pk, str(said.client_id))]
    watch.look_back(received())
    assert watch.broken == {}
    assert watch.checks > 20


BREAKS: dict[str, Callable[[Consultation], None]] = {
    "numbers without gap, each once": lambda room: raw(
        "UPDATE queue_token SET number = number + 5"
    ),
    "the counter is the last number": lambda room: ClinicDay.objects.update(last_number=9),
    "a token's state and its consultation's agree": lambda room: raw(
        "UPDATE queue_token SET state = 'left', ended_at = now() WHERE id = %s", room.token_id
    ),
    "an issued prescription never changes": lambda room: raw(
        "UPDATE consult_prescription SET document = '{}'"
    ),
    "every SMS is sent": lambda room: Message.objects.update(state="queued", sent_at=None),
    "every issued prescription has its PDF": lambda room: room.prescriptions.update(pdf=""),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_doctored_row_is_reported(room: Consultation, watch: Watch, name: str) -> None:
    watch.look()
    BREAKS[name](room)
    watch.look_back(received())
    assert name in watch.broken


def test_a_token_that_was_over_and_comes_back_is_reported(watch: Watch) -> None:
    raw("UPDATE queue_token SET state = 'left', ended_at = now() WHERE number = 2")
    watch.look()
    raw("UPDATE queue_token SET state = 'waiting', ended_at = NULL WHERE number = 2")
    watch.look()
    assert "a token moves only as NEXT says" in watch.broken


def test_a_call_out_of_order_is_reported(room: Consultation, watch: Watch) -> None:
    second = Token.objects.get(number=2)
    raw(
        "UPDATE queue_token SET issued_at = now() - interval '1 hour', doctor_id = %s,"
        " called_at = now() - make_interval(mins => CASE number WHEN 1 THEN 5 ELSE 20 END)",
        room.doctor_id,
    )
    watch.look()
    assert "present patients are called in order" in watch.broken
    assert str(second.pk) in watch.broken["present patients are called in order"]


def test_an_sms_that_went_out_twice_or_never_is_reported(watch: Watch) -> None:
    first, *others = received()
    watch.look_back(Counter({first: 2}))
    assert "no SMS went out twice" in watch.broken
    assert ("every SMS reached the gateway" in watch.broken) == bool(others)


def test_what_people_saw_is_held_against_what_is_stored(room: Consultation, watch: Watch) -> None:
    ledger, uid = watch.ledger, str(room.uid)
    ledger.told[uid].sent.append("a message that was taken and is nowhere")
    ledger.told[uid].talks["doctor"] = [(1, "another one that is nowhere")]
    ledger.told[uid].is_finished = True
    ledger.number("one", "OPD 1", "7")
    ledger.number("another", "OPD 1", "7")
    ledger.hold("Dr Rao", "one")
    ledger.hold("Dr Das", "one")
    watch.look_back(received())
    assert {
        "every message that was taken is stored",
        "messages are shown in the order stored",
        "what a doctor finished is completed",
    } <= set(watch.broken)
    assert any("given twice" in name for name in watch.broken)
    assert any("two doctors hold" in name for name in watch.broken)
