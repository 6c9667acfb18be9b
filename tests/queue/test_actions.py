"""Taking a token and calling the next: what is refused, why, and by how many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from queues.actions import (
    AlreadyHolding,
    AlreadyWaiting,
    NobodyPresent,
    NoToken,
    call_next,
    expire_place,
    leave_line,
    old_places,
    take_token,
)
from queues.models import Clinic, ClinicDay, MoveRefused, Token
from tests.at_once import at_once, behind
from tests.factories import a_clinic, a_doctor, a_patient, answered, on_duty

ORDINARY = Token.Priority.ORDINARY
many_at_once = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.django_db


def take(clinic: Clinic, patient=None) -> Token:
    patient = patient or a_patient()
    with transaction.atomic():
        return take_token(clinic=clinic, patient=patient, priority=ORDINARY)


def staffed(**fields) -> Clinic:
    clinic = a_clinic(**fields)
    on_duty(clinic)
    return clinic


def why_not(clinic: Clinic, patient=None) -> str:
    with pytest.raises(NoToken) as refused:
        take(clinic, patient)
    return refused.value.reason


# --- a token ------------------------------------------------------------------------------------
def test_tokens_are_numbered_in_the_order_they_are_taken():
    clinic = staffed()
    tokens = [take(clinic) for _ in range(3)]
    assert [token.number for token in tokens] == [1, 2, 3]
    assert {token.state for token in tokens} == {"waiting"}
    assert Token.objects.present().count() == 3


def test_no_token_where_it_is_closed_unstaffed_or_not_made_for_the_patient():
    paused = staffed()
    paused.duties.update(paused_at=timezone.now())
    assert why_not(staffed(always_open=False)) == "closed"
    assert why_not(staffed(is_active=False)) == "closed"
    assert why_not(a_clinic()) == "unstaffed"
    assert why_not(paused) == "unstaffed"
    assert why_not(staffed(serves="male")) == "unsuitable"
    assert why_not(staffed(min_age=60), a_patient(age=59)) == "unsuitable"
    assert Token.objects.count() == ClinicDay.objects.count() == 0


def test_no_token_when_too_many_wait_until_somebody_goes():
    clinic = staffed(waiting_limit=2)
    first, _second = take(clinic), take(clinic)
    assert why_not(clinic) == "full"
    leave_line(token=first)
    assert take(clinic).number == 3


@pytest.mark.postgresql
@many_at_once
def test_who_comes_while_the_last_place_is_being_taken_finds_the_line_full():
    clinic = staffed(waiting_limit=3)
    leave_line(token=take(clinic))
    for _patient in range(2):
        take(clinic)
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            last = take(clinic)
            late = behind(thread, lambda: take(clinic))
        with pytest.raises(NoToken):
            late.result()
    assert Token.objects.waiting().count() == 3
    leave_line(token=last)
    assert take(clinic).number == 5


def test_no_token_past_the_days_limit_even_when_all_have_gone():
    clinic = staffed(daily_limit=2)
    for _patient in range(2):
        leave_line(token=take(clinic))
    assert why_not(clinic) == "full"
    assert ClinicDay.objects.get().last_number == 2


def test_a_patient_who_waits_gets_no_second_token_here_but_one_elsewhere():
    clinic, other, asha = staffed(), staffed(), a_patient()
    first = take(clinic, asha)
    with pytest.raises(AlreadyWaiting) as already:
        take(clinic, asha)
    assert already.value.token == first
    assert take(other, asha).number == 1
    leave_line(token=first)
    assert take(clinic, asha).number == 2


def test_leaving_is_possible_until_the_place_is_over():
    clinic = staffed()
    token = leave_line(token=take(clinic))
    assert (token.state, token.ended_at is None) == ("left", False)
    with pytest.raises(MoveRefused):
        leave_line(token=token)


def expire_old() -> list[Token]:
    return [expire_place(token=token) for token in old_places()]


def test_places_end_with_their_day_and_calls_do_not():
    clinic = a_clinic()
    rao = on_duty(clinic)
    take(clinic)
    call_next(clinic=clinic, doctor=rao)
    waits = take(clinic)
    assert expire_old() == []
    clinic.hours.all().delete()
    assert expire_old() == []
    Token.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert expire_old() == [waits]
    assert expire_old() == []
    states = Token.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["called", "expired"]


def test_in_a_clinic_that_never_closes_the_line_goes_on_after_midnight_for_one_night():
    clinic = a_clinic()
    rao = on_duty(clinic)
    last_night, later = take(clinic), take(clinic)
    for model in (Token, ClinicDay):
        model.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert take(clinic).number == 1
    assert expire_old() == []
    assert call_next(clinic=clinic, doctor=rao) == last_night
    Token.objects.filter(pk=later.pk).update(day=timezone.localdate() - timedelta(days=2))
    assert expire_old() == [later]


# --- a call -------------------------------------------------------------------------------------
def test_a_doctor_with_a_patient_calls_no_other_before_and_after_the_answer():
    clinic = a_clinic()
    rao = on_duty(clinic)
    take(clinic)
    take(clinic)
    token = call_next(clinic=clinic, doctor=rao)
    for _state in ("called", "serving"):
        with pytest.raises(AlreadyHolding) as holding:
            call_next(clinic=clinic, doctor=rao)
        assert holding.value.token == token
        if token.state == "called":
            answered(token)
    token.finish()
    assert call_next(clinic=clinic, doctor=rao).number == 2


def test_a_call_is_answered_once():
    clinic = a_clinic()
    rao = on_duty(clinic)
    take(clinic)
    token = call_next(clinic=clinic, doctor=rao)
    answered(Token.objects.get())
    with pytest.raises(MoveRefused):
        answered(token)


# --- many at once -------------------------------------------------------------------------------
def tried(do: Callable[[], Token]) -> Token | Exception:
    try:
        return do()
    except Exception as error:
        return error


def sorted_out(results: list[Token | Exception]) -> tuple[list[Token], list[type]]:
    tokens = [one for one in results if isinstance(one, Token)]
    return tokens, [type(one) for one in results if isinstance(one, Exception)]


@many_at_once
def test_doctors_who_call_at_once_never_share_a_patient():
    clinic = a_clinic()
    doctors = [on_duty(clinic, a_doctor()) for _ in range(4)]
    for _patient in range(3):
        take(clinic)
    results = at_once(4, lambda n: tried(lambda: call_next(clinic=clinic, doctor=doctors[n])))
    called, refused = sorted_out(results)
    assert sorted(token.number for token in called) == [1, 2, 3]
    assert refused == [NobodyPresent]


@many_at_once
def test_a_doctor_who_calls_twice_at_once_has_one_patient():
    clinic = a_clinic()
    rao = on_duty(clinic)
    take(clinic)
    take(clinic)
    results = at_once(3, lambda _n: tried(lambda: call_next(clinic=clinic, doctor=rao)))
    called, refused = sorted_out(results)
    assert [token.pk for token in called] == [Token.objects.held().get().pk]
    assert set(refused) <= {AlreadyHolding, NobodyPresent}
    assert Token.objects.waiting().count() == 1


@many_at_once
def test_a_patient_of_two_lines_is_called_by_one_of_two_doctors():
    asha = a_patient()
    clinics = [a_clinic(), a_clinic()]
    doctors = [on_duty(clinic) for clinic in clinics]
    for clinic in clinics:
        take(clinic, asha)
    results = at_once(2, lambda n: tried(lambda: call_next(clinic=clinics[n], doctor=doctors[n])))
    called, refused = sorted_out(results)
    assert [token.patient for token in called] == [asha]
    assert refused == [NobodyPresent]


@many_at_once
def test_one_patient_who_asks_at_once_gets_one_number_and_none_is_skipped():
    clinic, asha = staffed(), a_patient()
    taken, refused = sorted_out(at_once(3, lambda _n: tried(lambda: take(clinic, asha))))
    assert ([token.number for token in taken], refused) == ([1], [AlreadyWaiting] * 2)
    assert take(clinic).number == 2
