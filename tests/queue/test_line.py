"""The order of calls, who is passed over, and how long it will probably take."""

import random
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.waits import simulate
from queues.actions import (
    NobodyPresent,
    call_next,
    finish_token,
    pass_over,
    pass_unanswered,
    people_near_their_turn,
    take_token,
    unanswered_calls,
)
from queues.due import look
from queues.line import priority_run, read_line, turns
from queues.models import PRIORITY_RUN, Clinic, Duty, MoveRefused, Presence, Token
from queues.pace import paces
from queues.wait import Pace, Wait, expected_wait, order_of_calls
from tests.factories import a_clinic, a_doctor, a_patient, on_duty

pytestmark = pytest.mark.django_db

EMERGENCY, PRIORITY, ORDINARY = Token.Priority.values


def a_line(clinic: Clinic, *priorities: int) -> list[Token]:
    """Waiting and present patients with the numbers 1, 2, 3 …"""
    return [
        take_token(clinic=clinic, patient=a_patient(), priority=priority) for priority in priorities
    ]


def staffed(**fields) -> tuple[Clinic, object]:
    clinic = a_clinic(**fields)
    return clinic, on_duty(clinic)


def away(*tokens: Token) -> None:
    Presence.objects.filter(token__in=tokens).update(until=timezone.now())


def served(token: Token) -> Token:
    token.answer()
    finish_token(token=token)
    return token


def calls(clinic: Clinic, doctor, times: int) -> list[int]:
    """The numbers of the next calls, each patient answering and going."""
    return [served(call_next(clinic=clinic, doctor=doctor)).number for _call in range(times)]


# --- the order ----------------------------------------------------------------------------------
def test_it_calls_by_priority_and_then_by_number():
    clinic, doctor = staffed()
    a_line(clinic, ORDINARY, PRIORITY, ORDINARY, EMERGENCY, PRIORITY)
    assert calls(clinic, doctor, 5) == [4, 2, 5, 1, 3]


def test_after_three_priority_calls_an_ordinary_patient_goes():
    clinic, doctor = staffed()
    a_line(clinic, ORDINARY, ORDINARY, *[PRIORITY] * 7)
    assert calls(clinic, doctor, 9) == [3, 4, 5, 1, 6, 7, 8, 2, 9]


def test_an_emergency_is_called_at_once_and_does_not_count_in_the_run():
    clinic, doctor = staffed()
    a_line(clinic, ORDINARY, *[PRIORITY] * 5)
    assert calls(clinic, doctor, 3) == [2, 3, 4]
    a_line(clinic, EMERGENCY)
    assert calls(clinic, doctor, 4) == [7, 1, 5, 6]


def test_without_an_ordinary_patient_the_run_goes_on():
    clinic, doctor = staffed()
    a_line(clinic, *[PRIORITY] * 5)
    assert calls(clinic, doctor, 5) == [1, 2, 3, 4, 5]
    assert priority_run(clinic) == PRIORITY_RUN


def test_the_last_calls_are_looked_at_only_where_they_decide(django_assert_num_queries):
    clinic, doctor = staffed()
    waiting = a_line(clinic, *[PRIORITY] * 5)
    calls(clinic, doctor, 3)
    with django_assert_num_queries(1):
        assert turns(clinic) == [waiting[3].pk, waiting[4].pk]
    (last,) = a_line(clinic, ORDINARY)
    with django_assert_num_queries(2):
        assert turns(clinic) == [last.pk, waiting[3].pk, waiting[4].pk]


def test_yesterdays_calls_and_another_clinics_do_not_count_in_the_run():
    clinic, doctor = staffed()
    a_line(clinic, *[PRIORITY] * 3)
    calls(clinic, doctor, 3)
    assert (priority_run(clinic), priority_run(a_clinic())) == (3, 0)
    Token.objects.update(called_at=timezone.now() - timedelta(days=1))
    assert priority_run(clinic) == 0


# --- presence -----------------------------------------------------------------------------------
def test_who_is_away_is_passed_over_and_keeps_the_place():
    clinic, doctor = staffed()
    first, second, _third = a_line(clinic, ORDINARY, ORDINARY, ORDINARY)
    away(first, second)
    assert calls(clinic, doctor, 1) == [3]
    Presence.renew([first.pk, second.pk])
    assert calls(clinic, doctor, 2) == [1, 2]
    assert first.passes == 0


def test_with_nobody_present_nobody_is_called_and_all_keep_their_place():
    clinic, doctor = staffed()
    away(*a_line(clinic, ORDINARY, EMERGENCY))
    with pytest.raises(NobodyPresent) as nobody:
        call_next(clinic=clinic, doctor=doctor)
    assert nobody.value.waiting == 2
    assert Token.objects.waiting().count() == 2


def test_a_patient_whom_another_clinic_has_called_is_not_called_here():
    clinic, doctor = staffed()
    other, her_doctor = staffed()
    asha, ravi = a_patient(), a_patient()
    for here, patient in [(clinic, asha), (clinic, ravi), (other, asha)]:
        take_token(clinic=here, patient=patient, priority=ORDINARY)
    held = call_next(clinic=other, doctor=her_doctor)
    assert held.patient == asha
    assert calls(clinic, doctor, 1) == [2]
    with pytest.raises(NobodyPresent):
        call_next(clinic=clinic, doctor=doctor)
    served(held)
    assert calls(clinic, doctor, 1) == [1]


# --- calls that are missed ----------------------------------------------------------------------
def test_who_misses_a_call_lets_one_go_first_and_is_then_next():
    clinic, doctor = staffed()
    a_line(clinic, ORDINARY, ORDINARY, ORDINARY)
    missed = pass_over(token=call_next(clinic=clinic, doctor=doctor))
    assert (missed.number, missed.state, missed.passes, missed.doctor) == (1, "waiting", 1, None)
    assert calls(clinic, doctor, 3) == [2, 1, 3]


def test_who_misses_a_call_alone_is_called_again_and_the_second_time_loses_the_place():
    clinic, doctor = staffed()
    a_line(clinic, ORDINARY)
    pass_over(token=call_next(clinic=clinic, doctor=doctor))
    again = pass_over(token=call_next(clinic=clinic, doctor=doctor))
    assert (again.number, again.state, again.passes) == (1, "no_show", 2)
    assert again.ended_at is not None
    with pytest.raises(NobodyPresent) as nobody:
        call_next(clinic=clinic, doctor=doctor)
    assert nobody.value.waiting == 0


def test_only_calls_that_were_not_answered_in_time_are_passed_over():
    clinic = a_clinic(call_window=120)
    doctors = [on_duty(clinic, a_doctor()) for _ in range(3)]
    a_line(clinic, ORDINARY, ORDINARY, ORDINARY)
    late, early, came_in = [call_next(clinic=clinic, doctor=doctor) for doctor in doctors]
    came_in.answer()
    now = timezone.now()
    Token.objects.filter(pk__in=[late.pk, came_in.pk]).update(
        called_at=now - timedelta(seconds=121)
    )
    Token.objects.filter(pk=early.pk).update(called_at=now - timedelta(seconds=119))
    assert unanswered_calls() == [late]


def test_who_was_called_anew_meanwhile_is_not_passed_over_for_the_call_before():
    clinic, doctor = staffed()
    a_line(clinic, ORDINARY)
    late = call_next(clinic=clinic, doctor=doctor)
    Token.objects.update(called_at=timezone.now() - timedelta(hours=1))
    (late,) = unanswered_calls()
    pass_unanswered(token=late)
    call_next(clinic=clinic, doctor=doctor)
    late.state = Token.State.CALLED  # as a second sweep has read it before
    with pytest.raises(MoveRefused):
        pass_unanswered(token=late)


# --- the order as it is told --------------------------------------------------------------------
def test_the_order_that_is_told_is_the_order_of_the_calls():
    """Lines of all kinds, called to their end: everybody's place was told right."""
    dice = random.Random(7)
    doctor = a_doctor()
    for _line in range(8):
        clinic = a_clinic()
        on_duty(clinic, doctor)
        a_line(clinic, *[PRIORITY] * dice.randint(0, 4))
        calls(clinic, doctor, Token.objects.filter(clinic=clinic).count())
        a_line(clinic, *dice.choices(Token.Priority.values, [1, 3, 3], k=dice.randint(1, 9)))
        line = Token.objects.in_line(clinic)
        missed = dice.sample(list(line), k=dice.choice([0, 0, 1]))
        line.filter(pk__in=[token.pk for token in missed]).update(yields=True, passes=1)
        told = read_line(clinic).order
        numbers = dict(line.values_list("pk", "number"))
        assert calls(clinic, doctor, len(told)) == [numbers[pk] for pk in told]


@pytest.mark.parametrize(
    ("turns", "run", "order"),
    [
        ([], 0, []),
        ([("a", 2, False), ("b", 2, False)], 0, ["a", "b"]),
        ([("e", 0, False), ("p", 1, False), ("o", 2, False)], 3, ["e", "o", "p"]),
        ([("p", 1, False), ("q", 1, False), ("o", 2, False)], 2, ["p", "o", "q"]),
        ([("a", 2, True), ("b", 2, False), ("c", 2, False)], 0, ["b", "a", "c"]),
        ([("a", 2, True)], 0, ["a"]),
        ([("a", 2, True), ("p", 1, False), ("q", 1, False)], 0, ["p", "q", "a"]),
    ],
)
def test_an_order_is_told(turns: list, run: int, order: list):
    assert order_of_calls(turns, run=run, longest_run=PRIORITY_RUN) == order


# --- the expected wait --------------------------------------------------------------------------
UNKNOWN, KNOWN = Pace(seconds=600), Pace(seconds=600, calls=100)


@pytest.mark.parametrize(
    ("ahead", "doctors", "busy", "pace", "minutes"),
    [
        (0, 1, 0, KNOWN, Wait(0, 2)),  # free: comes at once
        (0, 3, 1, KNOWN, Wait(0, 2)),
        (0, 1, 1, KNOWN, Wait(4, 8)),  # who is in the room is half through: a factor of two
        (0, 1, 1, UNKNOWN, Wait(2, 14)),  # nothing is known of this clinic yet
        (0, 5, 5, KNOWN, Wait(0, 4)),  # somebody is about to end
        (10, 4, 0, KNOWN, Wait(12, 24)),  # 7 endings of four doctors
        (30, 4, 4, KNOWN, Wait(56, 102)),
        (5, 0, 0, KNOWN, None),
    ],
)
def test_the_expected_wait_is_a_range_around_the_endings_before_it(
    ahead, doctors, busy, pace, minutes
):
    assert expected_wait(ahead=ahead, doctors=doctors, busy=busy, pace=pace) == minutes


@pytest.mark.parametrize(
    ("wait", "hours"),
    [(Wait(70, 120), None), (Wait(70, 121), ("1", "2½")), (Wait(20, 150), ("½", "2½")),
     (Wait(180, 330), ("3", "5½"))],
)  # fmt: skip
def test_a_long_wait_is_told_in_half_hours_rounded_outwards(wait: Wait, hours: tuple | None):
    assert wait.is_long == bool(hours)
    assert not hours or wait.hours == hours


def test_it_learns_how_long_a_call_takes_here():
    clinic, doctor = staffed(usual_minutes=10)
    assert paces([clinic])[clinic.pk] == Pace(seconds=645)  # with what is between two patients
    now = timezone.now()
    for number, token in enumerate(a_line(clinic, *[ORDINARY] * 5)):
        called = now - timedelta(minutes=21 * (5 - number))
        Token.objects.filter(pk=token.pk).update(
            state="done",
            doctor=doctor,
            issued_at=now - timedelta(hours=3),
            called_at=called,
            answered_at=called + timedelta(minutes=1),
            ended_at=called + timedelta(minutes=20),
        )
    assert paces([clinic])[clinic.pk].calls == 0  # remembered for a while
    cache.clear()
    pace = paces([clinic])[clinic.pk]
    assert (pace.seconds, pace.calls) == (pytest.approx((645 + 1260) / 2), 5)
    cache.clear()
    Token.objects.update(called_at=F("called_at") - timedelta(days=3))
    assert paces([clinic])[clinic.pk] == Pace(seconds=645)


def test_whoever_has_priority_is_told_the_wait_of_those_before_them():
    clinic, doctor = staffed(usual_minutes=10)
    a_line(clinic, *[ORDINARY] * 8, PRIORITY)
    call_next(clinic=clinic, doctor=doctor)
    told = [a_line(clinic, priority)[0].expected_high for priority in (ORDINARY, PRIORITY)]
    assert told[1] < told[0] / 3


def test_eight_of_ten_are_called_within_the_range_they_were_told():
    """Clinics of twelve kinds, two days each; `make waits` plays more and prints them all."""
    everybody = simulate(days=2)["everybody"]
    assert everybody.told > 3000
    assert everybody.within / everybody.told >= 0.78
    assert everybody.learned_within / everybody.learned >= 0.8
    assert everybody.wide == 0


def test_reading_a_line_costs_the_same_however_long_it_is():
    clinic, _doctor = staffed()
    costs = []
    for more in (1, 20):
        a_line(clinic, *[ORDINARY, PRIORITY] * more)
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            line = read_line(clinic)
        costs.append(len(queries))
    assert (len(line.order), costs) == (42, [4, 4])


def test_everybody_is_told_their_own_place():
    clinic, doctor = staffed()
    first, second, third = a_line(clinic, ORDINARY, ORDINARY, PRIORITY)
    held = call_next(clinic=clinic, doctor=doctor)
    line = read_line(clinic)
    assert held == third
    assert [line.ahead_of(token.pk) for token in (first, second, third)] == [0, 1, None]
    assert (line.doctors, line.busy) == (1, 1)
    Duty.objects.update(paused_at=timezone.now())
    assert read_line(clinic).wait(0) is None


# --- people who closed the page -----------------------------------------------------------------
def test_absent_people_near_their_turn_are_told_once():
    clinic, _doctor = staffed(near_ahead=2)
    tokens = a_line(clinic, *[ORDINARY] * 5)
    away(tokens[1], tokens[2], tokens[3])
    assert people_near_their_turn() == [(tokens[1], 1), (tokens[2], 2)]
    assert people_near_their_turn() == []
    away(tokens[0])
    Duty.objects.update(paused_at=timezone.now())
    assert people_near_their_turn() == []
    Duty.objects.update(paused_at=None)
    assert people_near_their_turn() == [(tokens[0], 0)]


def test_who_is_absent_far_back_has_no_line_read():
    clinic, _doctor = staffed(near_ahead=1)
    _first, _next, third, _last = a_line(clinic, *[ORDINARY] * 4)
    _before, second = a_line(clinic, PRIORITY, PRIORITY)
    away(third)
    assert not look().turns
    away(second)
    assert look().turns
    Duty.objects.update(paused_at=timezone.now())
    assert not look().turns
