"""A talk that broke off: the patient keeps the number and goes first; and pairs that never meet again."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from queues import actions
from queues.line import turns
from queues.models import Clinic, KeptApart, MoveRefused, Presence, Token
from tests.factories import a_clinic, a_doctor, a_patient, answered, on_duty

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return a_clinic()


def a_place(clinic: Clinic, priority: int = Token.Priority.ORDINARY, patient=None) -> Token:
    with transaction.atomic():
        return actions.take_token(clinic=clinic, patient=patient or a_patient(), priority=priority)


def serving(clinic: Clinic, doctor) -> Token:
    return answered(actions.call_next(clinic=clinic, doctor=doctor))


def put_back(clinic: Clinic, doctor) -> Token:
    return actions.put_back(token=serving(clinic, doctor))


def test_the_number_is_kept_and_the_doctor_is_free(clinic):
    rao = on_duty(clinic)
    a_place(clinic)
    token = put_back(clinic, rao)
    token.refresh_from_db()
    assert (token.state, token.number, token.doctor, token.comes_first) == (
        "waiting",
        1,
        None,
        True,
    )
    a_place(clinic)
    assert actions.call_next(clinic=clinic, doctor=rao).pk == token.pk


def test_it_goes_before_those_who_have_waited_longer_and_before_priorities(clinic):
    rao, das = on_duty(clinic), on_duty(clinic, a_doctor())
    first, second = a_place(clinic), a_place(clinic)
    senior = a_place(clinic, Token.Priority.PRIORITY)
    assert actions.call_next(clinic=clinic, doctor=das).pk == senior.pk
    token = put_back(clinic, rao)
    assert token.pk == first.pk
    assert turns(clinic) == [first.pk, second.pk]
    a_place(clinic, Token.Priority.PRIORITY)
    assert actions.call_next(clinic=clinic, doctor=rao).pk == first.pk


def test_an_emergency_still_goes_before_it(clinic):
    rao = on_duty(clinic)
    first = a_place(clinic)
    put_back(clinic, rao)
    emergency = a_place(clinic, Token.Priority.EMERGENCY)
    assert turns(clinic) == [emergency.pk, first.pk]
    assert actions.call_next(clinic=clinic, doctor=rao).pk == emergency.pk


def test_who_is_away_is_passed_over_and_told_when_away(clinic):
    rao = on_duty(clinic)
    away = a_place(clinic)
    put_back(clinic, rao)
    Presence.objects.filter(token=away).update(until=timezone.now() - timedelta(seconds=1))
    present = a_place(clinic)
    assert [token.pk for token, _ahead in actions.people_near_their_turn()] == [away.pk]
    assert actions.call_next(clinic=clinic, doctor=rao).pk == present.pk
    assert turns(clinic) == [away.pk]


def test_who_then_misses_the_call_goes_first_no_longer(clinic):
    rao = on_duty(clinic)
    a_place(clinic)
    put_back(clinic, rao)
    token = actions.pass_over(token=actions.call_next(clinic=clinic, doctor=rao))
    assert (token.state, token.comes_first, token.yields) == ("waiting", False, True)


def test_it_is_no_priority_call_to_the_rule_that_spares_the_others(clinic):
    """The claim does what the line said it would: the run of priority calls is not longer by it."""
    rao = on_duty(clinic)
    for _senior in range(5):
        a_place(clinic, Token.Priority.PRIORITY)
    ordinary = a_place(clinic)
    put_back(clinic, rao)
    foretold = turns(clinic)
    called = []
    while foretold[len(called) :]:
        token = serving(clinic, rao)
        called.append(token.pk)
        actions.finish_token(token=token)
    assert called == foretold
    assert called[4] == ordinary.pk  # itself, and three priority calls before an ordinary one


@pytest.mark.parametrize("verb", ["put_back", "pass_over"])
def test_each_way_back_is_for_one_state_only(clinic, verb: str):
    rao = on_duty(clinic)
    a_place(clinic)
    token = actions.call_next(clinic=clinic, doctor=rao)
    if verb == "pass_over":
        token = answered(token)
    with pytest.raises(MoveRefused):
        getattr(actions, verb)(token=token)


# --- never again --------------------------------------------------------------------------------
def test_who_was_parted_is_never_matched_again_and_other_doctors_call_them(clinic):
    rao, das = on_duty(clinic), on_duty(clinic, a_doctor())
    asha = a_patient()
    actions.keep_apart(doctor=rao, patient=asha)
    parted, child = a_place(clinic, patient=asha), a_place(clinic, patient=a_patient(asha.account))
    other = a_place(clinic)
    assert actions.call_next(clinic=clinic, doctor=rao).pk == other.pk
    assert actions.call_next(clinic=clinic, doctor=das).pk == parted.pk
    actions.finish_token(token=answered(Token.objects.get(pk=other.pk)))
    with pytest.raises(actions.NobodyPresent) as nobody:
        actions.call_next(clinic=clinic, doctor=rao)
    assert nobody.value.waiting == 1  # the child of the same account
    assert child.state == "waiting"


def test_two_are_parted_once(clinic):
    rao, asha = a_doctor(), a_patient()
    first = actions.keep_apart(doctor=rao, patient=asha)
    assert actions.keep_apart(doctor=rao, patient=asha) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        KeptApart.objects.create(doctor=rao, patient=asha)
    actions.keep_apart(doctor=rao, patient=a_patient())
