"""Old pages and impatient clicks: every address of a case answers with sense in every state of it.

The addresses are read from the URL table. What does not fit the state moves nothing.
"""

import uuid
from collections.abc import Callable

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from consult import actions
from consult.models import Consultation, FollowUp
from consult.uploads import clean_upload
from tests.addresses import Address
from tests.consult.test_strangers import CENTRES, DOCTORS, GET_AND_POST, POST_ONLY
from tests.factories import (
    a_doctor,
    a_health_worker,
    a_hub,
    a_photo,
    a_specialist,
    an_upload,
    as_staff,
    at_centre,
    called,
    centre_of,
    on_duty,
    prescribed,
    send,
)

pytestmark = pytest.mark.django_db

MAKES_SENSE = {200, 202, 204, 302, 404, 409, 422}
OF_A_CASE = [p for p in [*CENTRES, *DOCTORS] if "consultation" in p.holds]


class Story:
    """A case of Meena's that is taken as far as a test wants, before Dr Rao."""

    def __init__(self) -> None:
        self.meena = a_health_worker()
        centre = centre_of(self.meena)
        self.hub, self.skin = a_hub(centre), a_hub(centre, "dermatology")
        self.rao = on_duty(self.hub, a_doctor())
        a_specialist(self.skin)
        self.case = at_centre(self.meena)
        clean_upload(an_upload(a_photo())).attach(self.case, self.meena)

    def draft(self) -> None:
        pass

    def discarded(self) -> None:
        actions.discard_draft(consultation=self.case, by=self.meena)

    def waiting(self) -> None:
        self.case = send(self.case, self.hub, self.meena)

    def written(self) -> None:
        self.case = send(self.case, self.hub, self.meena, is_written=True)

    def called(self) -> None:
        self.waiting()
        self.case = called(self.hub, self.rao)

    def in_the_room(self) -> None:
        self.called()
        self.case = actions.begin(consultation=self.case, by=self.meena)

    def taken_in_writing(self) -> None:
        self.written()
        self.case = actions.take_written(consultation=self.case, doctor=self.rao)

    def asked_a_specialist(self) -> None:
        self.in_the_room()
        actions.ask_opinion(
            consultation=self.case, doctor=self.rao, clinic=self.skin, question="Eczema?"
        )
        actions.instruct(consultation=self.case, by=self.rao.user, words="Weigh")

    def put_back(self) -> None:
        self.asked_a_specialist()
        self.case = actions.put_back(consultation=self.case, by=self.rao.user)

    def completed(self) -> None:
        self.in_the_room()
        prescribed(self.case)
        day = timezone.localdate()
        actions.save_note(
            consultation=self.case, by=self.rao.user, diagnosis="Malaria", follow_up_on=day
        )
        self.case = actions.complete(consultation=self.case, by=self.rao.user)

    def returned(self) -> None:
        self.called()
        self.case = actions.return_consultation(
            consultation=self.case, by=self.rao.user, reason="other", words="x", clinic=self.skin
        )

    def missed(self) -> None:
        for _call in range(2):
            self.case = called(self.hub, self.rao) if self.case.token else self._first_call()
            actions.pass_over(consultation=self.case, by=self.rao.user)

    def _first_call(self) -> Consultation:
        self.called()
        return self.case

    def transferred(self) -> None:
        self.in_the_room()
        actions.transfer_care(
            consultation=self.case, doctor=self.rao, clinic=self.skin, words="Skin doctors"
        )

    def taken_back(self) -> None:
        self.waiting()
        self.case = actions.leave(consultation=self.case, by=self.meena)


STATES = [
    Story.draft, Story.discarded, Story.waiting, Story.written, Story.called, Story.in_the_room,
    Story.taken_in_writing, Story.asked_a_specialist, Story.put_back, Story.completed,
    Story.returned, Story.missed, Story.transferred, Story.taken_back,
]  # fmt: skip


def address(pattern: Address, story: Story) -> str:
    case = story.case
    opinion, file = case.opinions.first(), case.attachments.first()
    instruction = case.instructions.first()
    values = {
        "consultation": case.uid,
        "attachment": file.uid if file else uuid.uuid4(),
        "opinion": opinion.uid if opinion else uuid.uuid4(),
        "instruction": instruction.pk if instruction else 1,
        "document": uuid.uuid4(),
        "number": 0,
    }
    wanted = {name: values[name] for name in pattern.holds}
    return reverse(pattern.full_name, kwargs=wanted)


def filled(story: Story) -> dict[str, str]:
    """All fields of all forms at once, rightly filled in."""
    skin = str(story.skin.uid)
    return {
        "clinic": skin, "because": "Nearer", "how": "spoken", "consent": "on", "is_present": "on",
        "revision": "0", "complaint": "Fever with chills", "vital_pulse": "90", "answer": "Done",
        "given_1": "given", "return-reason": "other", "return-words": "x", "return-clinic": skin,
        "instruction-words": "Weigh", "opinion-clinic": skin, "opinion-question": "Eczema?",
        "transfer-clinic": skin, "transfer-words": "x", "transfer-told": "on",
        "referral-place": "Sadar hospital", "referral-urgency": "routine", "referral-reason": "X-ray",
        "diagnosis": "Malaria", "lines-TOTAL_FORMS": "0", "lines-INITIAL_FORMS": "0",
    }  # fmt: skip


def tries(pattern: Address, story: Story) -> list[tuple[str, dict[str, str]]]:
    both = ["get", "post"] if pattern.name in GET_AND_POST else []
    methods = both or ["post" if pattern.name in POST_ONLY else "get"]
    return [(how, data) for how in methods for data in ({}, {"clinic": "x"}, filled(story))]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_page_answers_with_sense_in_every_state(state: Callable[[Story], None]):
    story = Story()
    state(story)
    meena, rao = as_staff(story.meena), as_staff(story.rao.user)
    for pattern in OF_A_CASE:
        path, visitor = address(pattern, story), meena if pattern in CENTRES else rao
        with transaction.atomic():
            for method, data in tries(pattern, story):
                answer = getattr(visitor, method)(path, data)
                assert answer.status_code in MAKES_SENSE, (pattern.name, method, data)
            _nothing_is_torn(story)
            transaction.set_rollback(True)  # the next page is tried on the same state


def _nothing_is_torn(story: Story) -> None:
    """Whatever was clicked: what waits has a place, and a place has a case that waits for it."""
    for case in Consultation.objects.select_related("token"):
        token = case.token
        if case.state == "requested":
            assert token is None if case.is_written else token.state in ("waiting", "called")
        elif case.state == "in_progress":
            assert token is None if case.is_written else token.state == "serving"
        else:
            assert token is None or not token.is_open
        assert case.is_open or not case.opinions.filter(state__in=["asked", "joined"]).exists()
    assert Consultation.objects.open().filter(patient=story.case.patient).count() <= 1
    assert FollowUp.objects.count() <= 1
