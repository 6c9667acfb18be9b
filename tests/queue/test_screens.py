"""One screen, one call: a health worker brings one patient at a time, unless life is in danger."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Message
from consult import actions
from consult.models import Consultation
from queues.actions import NobodyPresent
from queues.models import MoveRefused, Token
from tests.at_once import at_once
from tests.factories import (
    a_doctor,
    a_health_worker,
    a_hub,
    a_patient,
    as_staff,
    called,
    centre_of,
    on_duty,
    sent,
    the_day,
    waiting,
)

pytestmark = pytest.mark.django_db
many_at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doctors(hub):
    return [on_duty(hub, a_doctor()) for _ in range(3)]


def state(case: Consultation) -> str:
    return Token.objects.get(consultation=case).state


def answer(case: Consultation, by) -> Consultation:
    found = Consultation.objects.select_related("patient").get(pk=case.pk)
    return actions.begin(consultation=found, by=by)


@pytest.mark.parametrize("comes_in", [False, True], ids=["called", "in the room"])
def test_the_second_patient_of_a_screen_is_passed_by_and_keeps_the_place(
    meena, hub, doctors, comes_in
):
    first, second = sent(meena, hub), sent(meena, hub)
    sunita = a_health_worker(first.facility)
    third = sent(sunita, hub)
    assert called(hub, doctors[0]) == first
    if comes_in:
        answer(first, meena)
    assert called(hub, doctors[1]) == third
    with pytest.raises(NobodyPresent) as nobody:
        called(hub, doctors[2])
    assert nobody.value.waiting == 1
    token = Token.objects.get(consultation=second)
    assert (token.state, token.passes, token.yields) == ("waiting", 0, False)


def test_the_second_patient_is_called_once_the_first_is_done(meena, hub, doctors):
    first, second = sent(meena, hub), sent(meena, hub)
    called(hub, doctors[0])
    actions.complete(consultation=answer(first, meena), by=doctors[0].user)
    assert called(hub, doctors[0]) == second


def test_a_screen_is_one_across_all_clinics(meena, hub, doctors):
    elsewhere = a_hub(centre_of(meena), name="Narkatia CHC")
    das = on_duty(elsewhere)
    sent(meena, hub)
    sent(meena, elsewhere)
    called(hub, doctors[0])
    with pytest.raises(NobodyPresent):
        called(elsewhere, das)


def test_patients_at_home_are_at_no_screen(hub, doctors):
    hub.takes_opd = True
    hub.save()
    cases = [waiting(hub) for _ in range(3)]
    assert [called(hub, doctor) for doctor in doctors] == cases


def test_an_emergency_breaks_in_beside_another_call(meena, hub, doctors):
    first = sent(meena, hub)
    called(hub, doctors[0])
    answer(first, meena)
    emergency = sent(meena, hub, is_emergency=True)
    assert called(hub, doctors[1]) == emergency
    assert answer(emergency, meena).state == "in_progress"
    assert (state(first), state(emergency)) == ("serving", "serving")


def test_nobody_else_is_called_to_a_screen_with_an_emergency(meena, hub, doctors):
    emergency, second = sent(meena, hub, is_emergency=True), sent(meena, hub)
    assert called(hub, doctors[0]) == emergency
    with pytest.raises(NobodyPresent):
        called(hub, doctors[1])
    assert state(second) == "waiting"


def test_the_database_refuses_a_second_call_at_one_screen(meena, hub, doctors):
    first, second = sent(meena, hub), sent(meena, hub)
    emergency = sent(meena, hub, is_emergency=True)
    first.token.call(doctors[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        second.token.call(doctors[1])
    emergency.token.call(doctors[2])
    assert (state(first), state(second), state(emergency)) == ("called", "waiting", "called")


def test_a_colleague_in_another_call_cannot_answer_and_the_place_is_kept(meena, hub, doctors):
    sunita = a_health_worker(centre_of(meena))
    first, second = sent(meena, hub), sent(sunita, hub)
    called(hub, doctors[0])
    answer(first, meena)
    called(hub, doctors[1])
    with pytest.raises(MoveRefused):
        answer(second, meena)
    page = as_staff(meena).post(reverse("consult:centre_answer", args=[second.uid]), follow=True)
    assert "You are in another call." in page.text
    assert state(second) == "called"
    assert answer(second, sunita).state == "in_progress"


def test_who_answers_has_the_patient_at_their_screen(meena, hub, doctors):
    sunita = a_health_worker(centre_of(meena))
    first, second = sent(meena, hub), sent(meena, hub)
    called(hub, doctors[0])
    answer(first, sunita)
    assert Token.objects.get(consultation=first).brought_by == sunita
    assert called(hub, doctors[1]) == second  # Meena's own screen is free


def test_a_waiting_patient_is_taken_over_to_a_free_screen(meena, hub, doctors):
    sunita = a_health_worker(centre_of(meena))
    first, second = sent(meena, hub), sent(meena, hub)
    called(hub, doctors[0])
    take_over = reverse("consult:centre_take_over", args=[second.uid])
    assert as_staff(sunita).post(take_over).status_code == 302
    assert Token.objects.get(consultation=second).brought_by == sunita
    assert called(hub, doctors[1]) == second
    page = as_staff(meena).post(take_over, follow=True)
    assert "This is no longer possible." in page.text
    assert Token.objects.get(consultation=second).brought_by == sunita
    assert state(first) == "called"


def test_a_missed_call_frees_the_screen_and_writes_no_sms(meena, hub, doctors):
    first, second = sent(meena, hub), sent(meena, hub, a_patient(age=70))
    assert called(hub, doctors[0]) == second  # a senior goes first
    actions.pass_over(consultation=Consultation.objects.get(pk=second.pk), by=doctors[0].user)
    assert called(hub, doctors[0]) == first
    long_ago = timezone.now() - timedelta(seconds=hub.call_window + 1)
    Token.objects.filter(consultation=first).update(called_at=long_ago, passes=1)
    actions.sweep_lines()
    first.refresh_from_db()
    assert (first.state, first.end_reason) == ("cancelled", "no_show")
    assert the_day(first.facility).came_back == [first]
    assert not Message.objects.exists()


@many_at_once
def test_of_two_doctors_who_call_from_one_screen_at_once_one_has_a_patient(meena, hub, doctors):
    cases = [sent(meena, hub) for _ in range(4)]
    for _round in range(5):

        def call(number: int) -> str:
            try:
                called(hub, doctors[number])
            except NobodyPresent:
                return "nobody"
            return "one"

        assert sorted(at_once(3, call)) == ["nobody", "nobody", "one"]
        assert Token.objects.held().count() == 1
        held = Token.objects.held().get()
        Token.objects.filter(pk=held.pk).update(
            state="waiting", doctor=None, called_at=None, yields=True
        )
    assert {state(case) for case in cases} == {"waiting"}


@many_at_once
def test_each_of_two_doctors_has_a_patient_of_another_screen(meena, hub, doctors):
    sunita = a_health_worker(centre_of(meena))
    for worker in (meena, meena, sunita, sunita):
        sent(worker, hub)

    def call(number: int) -> int:
        token = called(hub, doctors[number]).token
        return token.brought_by_id

    assert sorted(at_once(2, call)) == sorted([meena.pk, sunita.pk])
