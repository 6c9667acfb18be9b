"""A call begins to look where the line begins, and nobody who waits is behind that."""

from datetime import timedelta

import pytest
from django.utils import timezone

from queues.actions import call_next, finish_token, pass_over, put_back, put_heads_forward
from queues.models import Clinic, ClinicDay, Token
from tests.factories import a_clinic, a_doctor, on_duty, waiting

pytestmark = pytest.mark.django_db


def head(clinic: Clinic) -> int:
    return ClinicDay.objects.get(clinic=clinic).head


def a_line(length: int) -> tuple[Clinic, list[Token]]:
    clinic = a_clinic()
    on_duty(clinic)
    tokens = [waiting(clinic).token for _ in range(length)]
    ClinicDay.objects.update_or_create(
        clinic=clinic, day=timezone.localdate(), defaults={"last_number": length, "head": 0}
    )
    return clinic, tokens


def called(clinic: Clinic) -> Token:
    return call_next(clinic=clinic, doctor=on_duty(clinic))


def test_the_head_is_the_smallest_number_that_waits():
    clinic, _tokens = a_line(3)
    called(clinic)
    called(clinic)
    put_heads_forward()
    assert head(clinic) == 3
    assert called(clinic).number == 3


def test_an_empty_line_begins_behind_its_last_number():
    clinic, _tokens = a_line(1)
    called(clinic)
    put_heads_forward()
    assert head(clinic) == 2
    assert put_heads_forward() == 0


def test_whoever_is_absent_keeps_the_head_where_they_are():
    clinic, (absent, *_others) = a_line(3)
    absent.presence.delete()
    assert called(clinic).number == 2
    put_heads_forward()
    assert head(clinic) == 1


@pytest.mark.parametrize("again", [pass_over, put_back])
def test_who_waits_again_is_found_again(again):
    clinic, _tokens = a_line(2)
    first = called(clinic)
    last = called(clinic)
    if again is put_back:
        first.answer()
    finished = [last]
    for token in finished:
        token.answer()
        finish_token(token=token)
    put_heads_forward()
    assert head(clinic) == 3
    again(token=first)
    assert head(clinic) == 1
    assert called(clinic).pk == first.pk


def test_the_people_of_last_night_are_not_behind_todays_head():
    clinic, (yesterdays, *_others) = a_line(3)
    yesterday = timezone.localdate() - timedelta(days=1)
    Token.objects.filter(pk=yesterdays.pk).update(day=yesterday, number=1)
    put_heads_forward()
    assert head(clinic) == 0
    Token.objects.filter(pk=yesterdays.pk).update(
        state="called", doctor=a_doctor(), called_at=timezone.now()
    )
    put_heads_forward()
    assert head(clinic) == 2
    yesterdays.refresh_from_db()
    pass_over(token=yesterdays)
    assert head(clinic) == 0
