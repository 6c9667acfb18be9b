"""What there is of one consultation stands in the doctor's room; what is not there is not asked for."""

from collections.abc import Callable
from dataclasses import astuple, fields
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from consult import actions
from consult.models import Consultation
from consult.room_holds import RoomHolds
from consult.uploads import clean_content
from tests.factories import (
    PARACETAMOL,
    a_hub,
    a_photo,
    an_opinion,
    as_staff,
    before_the_screen,
    called,
    on_duty,
    prescribed,
    sent,
)

pytestmark = pytest.mark.django_db


def drafts(room: Consultation) -> None:
    actions.save_lines(consultation=room, lines=[PARACETAMOL], by=room.doctor.user)


def writes(room: Consultation) -> None:
    by = room.requested_by
    actions.post_message(consultation=room, by=by, client_id=uuid4(), text="It itches at night")


def adds_a_photo(room: Consultation) -> None:
    clean_content("left-arm.jpg", a_photo()).attach(room, room.requested_by)


def asks_for_more(room: Consultation) -> None:
    actions.instruct(consultation=room, by=room.doctor.user, words="Measure it again")


def asks_a_specialist(room: Consultation) -> None:
    an_opinion(room, a_hub(room.facility, "dermatology"))


def refers(room: Consultation) -> None:
    where = {"urgency": "urgent", "reason": "Fits with fever", "place": "Sadar Hospital"}
    actions.refer_in_person(consultation=room, doctor=room.doctor, **where)


def has_seen_paper(room: Consultation) -> None:
    actions.record_paper(
        consultation=room,
        by=room.doctor.user,
        generic="enalapril",
        written_on=timezone.localdate() - timedelta(days=20),
        written_by="Dr Das",
    )


def has_seen_them(room: Consultation) -> None:
    """In an earlier consultation this doctor noted it."""
    actions.record_visit(
        consultation=room,
        by=room.doctor.user,
        condition="Hypertension",
        seen_on=timezone.localdate() - timedelta(days=30),
        place="PHC Ernakulam",
    )
    actions.unlink_visit(consultation=room, by=room.doctor.user)


def keeps_a_set(room: Consultation) -> None:
    actions.save_set(doctor=room.doctor, name="fever of adults", lines=[PARACETAMOL])


HOLDS: dict[str, tuple[Callable[[Consultation], object], str]] = {
    "draft": (drafts, 'value="Paracetamol"'),
    "issued": (prescribed, "Correct the prescription"),
    "messages": (writes, "It itches at night"),
    "files": (adds_a_photo, "left-arm.jpg"),
    "instructions": (asks_for_more, "Measure it again"),
    "opinions": (asks_a_specialist, "Is this eczema?"),
    "letters": (refers, "Sadar Hospital"),
    "papers": (has_seen_paper, "enalapril"),
    "visits": (has_seen_them, "Hypertension"),
    "sets": (keeps_a_set, "fever of adults"),
    "earlier": (lambda room: None, "Ringworm"),
}


@pytest.fixture
def room(meena, hub) -> Consultation:
    return before_the_screen(meena, hub, on_duty(hub))


def page_of(room: Consultation) -> str:
    return as_staff(room.doctor.user).get(f"/doctor/consultations/{room.uid}/").text


def test_of_a_new_talk_there_is_nothing(room):
    assert set(astuple(RoomHolds.of(room))) == {False}
    page = page_of(room)
    assert [name for name, (_make, words) in HOLDS.items() if words in page] == []


@pytest.mark.parametrize("name", [name for name in HOLDS if name != "earlier"])
def test_what_there_is_stands_in_the_room(room, name):
    make, words = HOLDS[name]
    make(room)
    there = {one.name for one in fields(RoomHolds) if getattr(RoomHolds.of(room), one.name)}
    assert there == {name}
    assert words in page_of(room)


def test_an_earlier_talk_of_the_patient_stands_in_the_room(meena, hub):
    rao = on_duty(hub)
    first = before_the_screen(meena, hub, rao)
    actions.save_note(consultation=first, by=rao.user, diagnosis="Ringworm")
    actions.complete(consultation=first, by=rao.user)
    sent(meena, hub, first.patient)
    room = actions.begin(consultation=called(hub, rao), by=meena)
    assert RoomHolds.of(room).earlier
    assert HOLDS["earlier"][1] in page_of(room)


def test_each_is_tried():
    assert [one.name for one in fields(RoomHolds)] == list(HOLDS)
