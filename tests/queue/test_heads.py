"""A call begins to look where the line begins, and nobody who waits is behind that."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from queues.actions import call_next, finish_token, pass_over, put_back, put_heads_forward
from queues.claim import claim_text
from queues.models import Clinic, ClinicDay, Presence, Token
from tests.at_once import behind
from tests.factories import a_clinic, a_doctor, a_patient, on_duty, waiting

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


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_who_waits_again_locks_the_day_after_the_token_as_who_moves_to_another_line():
    clinic, _tokens = a_line(1)
    token = called(clinic)
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Token.objects.select_for_update().get()
            passing = behind(thread, lambda: pass_over(token=token))
            assert ClinicDay.next_number(clinic, token.day) == 2
        assert passing.result().state == "waiting"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_head_put_forward_without_seeing_who_is_about_to_wait_goes_back():
    clinic, _tokens = a_line(2)
    token = called(clinic)
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            put_heads_forward()
            passing = behind(thread, lambda: pass_over(token=token))
        passing.result()
    assert head(clinic) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_beside_a_long_transaction_a_call_passes_by_nobody_who_was_called_before():
    """What they left in the index cannot be removed while it is open: the call enters behind them."""
    clinic, gone, last = a_long_line(GONE)
    with a_long_transaction():
        Token.objects.filter(pk__in=gone).update(state="left", ended_at=timezone.now())
        tables_are_counted()
        assert blocks_of_a_call(clinic) > GONE
        put_heads_forward()
        assert blocks_of_a_call(clinic) < GONE / 2
        assert called(clinic) == last


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_call_enters_the_index_at_the_head_however_much_was_before_it():
    clinic, gone, last = a_long_line(GONE)
    line, empty = Token.objects.filter(pk__in=gone), blocks_of_a_call(a_line(1)[0])
    Token.objects.filter(pk=last.pk).update(number=42 * GONE)
    ClinicDay.objects.filter(clinic=clinic).update(last_number=42 * GONE)
    with a_long_transaction():
        for _time in range(40):
            line.update(number=F("number") + GONE)  # each leaves its place in the index behind
        line.update(state="left", ended_at=timezone.now())
        put_heads_forward()
        assert blocks_of_a_call(clinic) < empty + 30  # what is before it: 60 blocks and more
        tables_are_counted()
        assert blocks_of_a_call(clinic) < empty + 30


GONE = 240


def a_long_line(before: int) -> tuple[Clinic, list[int], Token]:
    """A clinic, so many who wait there, and the last one of the line.

    Whoever follows another stands in another block of the table, as after a day's work.
    """
    clinic, (last,) = a_line(1)
    numbers = sorted(range(2, before + 2), key=lambda number: number % 5)
    gone = Token.objects.bulk_create(
        Token(clinic=clinic, day=last.day, number=number, patient=a_patient()) for number in numbers
    )
    Presence.renew(token.pk for token in gone)
    Token.objects.filter(pk=last.pk).update(number=before + 2)
    ClinicDay.objects.filter(clinic=clinic).update(last_number=before + 2)
    return clinic, [token.pk for token in gone], last


@contextmanager
def a_long_transaction() -> Iterator[None]:
    """Somebody's report."""
    with psycopg.connect(**connection.get_connection_params()) as report:
        report.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        report.execute("SELECT 1")
        yield


def tables_are_counted() -> None:
    """What PostgreSQL does by itself at any moment, and plans by from then on."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def blocks_of_a_call(clinic: Clinic) -> int:
    """Of 8 kB, by the indexes that a large table is read by."""
    values = {"clinic": clinic.pk, "doctor": on_duty(clinic).pk}
    values |= {"now": timezone.now(), "today": timezone.localdate()}
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
        cursor.execute(f"{explain} {claim_text()}", values)
        found = cursor.fetchone()[0]
        cursor.execute("ROLLBACK")
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
