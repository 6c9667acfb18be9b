"""Texts that are asked by name: the same values and errors as by Django's cursor, and plans that are kept."""

import importlib
import json
import pkgutil
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from accounts.models import AccountSession, Enrolment, Message, Patient, User
from accounts.session_store import OPEN_SESSION
from esanjeevani.postgresql.statements import MOST
from esanjeevani.sql.any_of import AnyOf
from esanjeevani.sql.composed import Columns
from esanjeevani.sql.prepared import ask, ask_all, ask_last
from esanjeevani.sql.rows import insert, insert_asked
from tests.factories import a_patient, a_phone, a_state, a_user
from tests.trips import trips

VALUES = [
    ("int8", 2**40), ("int2", 7), ("text", "नमस्ते %s"), ("bytea", b"\0\xff"), ("boolean", True),
    ("uuid", uuid.UUID(int=5)), ("date", date(2026, 2, 28)), ("interval", timedelta(days=3, seconds=5)),
    ("timestamptz", datetime(2026, 2, 28, 3, 30, 0, 5, tzinfo=UTC)), ("numeric", Decimal("3.10")),
    ("int8[]", [1, 2, 3]), ("text[]", ["a", None]), ("jsonb", Jsonb({"a": [1, None]})),
    ("text", Message.State.SENT), ("text", None), ("float8", 0.1), ("inet", "10.0.0.1"),
]  # fmt: skip
GROW = {  # tables that nobody may read from end to end
    "accounts_auditevent", "accounts_message", "accounts_patient", "accounts_user",
    "consult_consultation", "consult_prescription", "consult_prescriptionline", "queue_token",
}  # fmt: skip


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_values_go_and_come_as_by_a_cursor(kind: str, value: Any) -> None:
    text = f"SELECT %s::{kind}, '100%%', %s::{kind}"
    with connection.cursor() as cursor:
        cursor.execute(text, [value, value])
        by_cursor = cursor.fetchall()
    assert [ask(text, [value, value]) for _ in range(2)] == [(by_cursor, 1)] * 2
    named = ask(f"SELECT %(one)s::{kind}, '100%%', %(one)s::{kind}", {"one": value})
    assert named.rows == by_cursor


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_first_question_of_a_transaction_begins_it() -> None:
    a_state()
    counted = "SELECT COUNT(*) FROM accounts_state"
    (before,) = ask(counted).rows
    for _ in range(2):
        with transaction.atomic():
            ask("DELETE FROM accounts_state WHERE code = (SELECT MAX(code) FROM accounts_state)")
            assert ask(counted).rows != [before]
            assert status() == TransactionStatus.INTRANS
            transaction.set_rollback(True)
        assert ask(counted).rows == [before]
        assert status() == TransactionStatus.IDLE


def status() -> int:
    raw: Any = connection.connection
    return int(raw.pgconn.transaction_status)


@pytest.mark.django_db
def test_what_is_refused_when_it_is_asked_first_is_refused_alone() -> None:
    asha = a_patient()
    for _ in range(2):
        again = Patient(account=asha.account, number=asha.number, name="Asha", state=asha.state)
        with pytest.raises(IntegrityError), transaction.atomic():
            insert(again)
        assert ask("SELECT name FROM accounts_patient WHERE id = %s", [asha.pk]).rows == [
            (asha.name,)
        ]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_that_cannot_be_prepared_is_named_in_each_error_and_harms_no_other() -> None:
    for _ in range(2):
        with pytest.raises(DataError, match="invalid input syntax"):
            ask("SELECT 'x'::int")
        with pytest.raises(DataError), transaction.atomic():
            ask("SELECT 1 / %s", [0])
        assert ask("SELECT %s::text", ["whole"]).rows == [("whole",)]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_several_in_one_trip_are_done_in_their_order_or_not_at_all() -> None:
    state = a_state()
    rename = "UPDATE accounts_state SET name = %s WHERE code = %s"
    name = "SELECT name FROM accounts_state WHERE code = %s"
    for _ in range(2):  # when they are prepared, and when they were
        with pytest.raises(DataError):
            ask_all([(rename, ["One", state.code]), ("SELECT 1 / %s", [0]), (rename, ["Two", 1])])
        assert ask(name, [state.code]).rows == [(state.name,)]
        renamed, found = ask_all([(rename, ["Three", state.code]), (name, [state.code])])
        assert (renamed.rowcount, found.rows) == (1, [("Three",)])
        ask_all([(rename, [state.name, state.code])])


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_last_statement_of_a_transaction_ends_it_in_the_same_trip() -> None:
    meena, told = a_user(name="Meena"), list[str]()
    rename = "UPDATE accounts_user SET name = %s WHERE id = %s"
    orphan = Enrolment(patient_id=0, facility_id=0, enrolled_by=meena)  # refused at its end

    @transaction.atomic
    def last(text: str, values: Any) -> None:
        transaction.on_commit(lambda: told.append(text))
        ask_last(text, values)

    @transaction.atomic
    def within() -> None:
        last(rename, ["Nobody", meena.pk])  # an inner transaction ends with the outer one
        raise ZeroDivisionError

    for name in ("Meena Devi", "Meena Kumari"):  # when it is prepared, and when it was
        assert trips(partial(last, rename, [name, meena.pk])) == 1
        assert (User.objects.get(pk=meena.pk).name, told.pop()) == (name, rename)
    with pytest.raises(ZeroDivisionError):
        within()
    with pytest.raises(IntegrityError):
        last(*insert_asked(orphan))
    assert (User.objects.get(pk=meena.pk).name, told) == ("Meena Kumari", [])
    assert connection.connection.pgconn.transaction_status == TransactionStatus.IDLE


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_is_planned_once_for_any_values_and_the_oldest_makes_room() -> None:
    connection.close()  # so that another test's texts are not among them
    text = "SELECT name FROM accounts_state WHERE code = %s"
    state = a_state()
    for _ in range(3):
        assert ask(text, [state.code]).rows == [(state.name,)]
    assert plans(text) == [(3, 0)]
    for number in range(MOST):
        assert ask(f"SELECT {number}").rows == [(number,)]
    assert plans(text) == []
    assert ask(text, [state.code]).rows == [(state.name,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_prepared_statements")
        assert cursor.fetchone() == (MOST,)
    connection.close()  # nor these among another's


def plans(text: str) -> list[tuple[int, int]]:
    """How often it was asked with a plan for any values, and with one for some."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = %s",
            [text.replace("%s", "$1")],
        )
        return list(cursor.fetchall())


@pytest.mark.django_db
def test_whoever_watches_what_is_asked_sees_it() -> None:
    seen = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        assert ask("SELECT 1").rows == [(1,)]
    assert seen == ["SELECT 1"]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_each_composed_query_finds_its_rows_by_an_index_for_any_values() -> None:
    forget_what_is_known_of_the_tables()
    found, partial = dict(composed()), partial_indexes()
    assert len(found) > 100
    for name, query in found.items():
        walks = [node for node in plan(query) if is_walk(node, partial)]
        assert GROW.isdisjoint(node["Relation Name"] for node in walks), (name, walks)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_small_table_is_asked_by_its_key_as_the_large_one_that_it_will_be() -> None:
    people = User.objects.bulk_create(User(phone=a_phone(), name="Meena") for _ in range(200))
    TOTPDevice.objects.bulk_create(TOTPDevice(user=one) for one in people)
    in_an_hour = timezone.now() + timedelta(hours=1)
    AccountSession.objects.bulk_create(
        AccountSession(
            session_key=f"{one.pk:032}", session_data="{}", expire_date=in_an_hour, account=one
        )
        for one in people
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    read = [node for node in plan(OPEN_SESSION, never=[]) if "Relation Name" in node]
    assert [node for node in read if "Index Cond" not in node] == []
    assert len(read) == 3


def forget_what_is_known_of_the_tables() -> None:
    """PostgreSQL takes a table for one of some pages then; one that was seen empty it would walk."""
    quoted = map(connection.ops.quote_name, connection.introspection.django_table_names())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(quoted)} CASCADE")


def is_walk(node: dict[str, Any], partial: set[str]) -> bool:
    """It reads a table, or an index of all its rows, from end to end."""
    if node["Node Type"] == "Seq Scan":
        return True
    is_by_index = node["Node Type"] in {"Index Scan", "Index Only Scan"}
    return is_by_index and "Index Cond" not in node and node["Index Name"] not in partial


def partial_indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
        return {name for (name,) in cursor.fetchall()}


def composed() -> Iterator[tuple[str, Columns]]:
    for app in ("accounts", "queues", "consult"):
        package = importlib.import_module(app)
        for module in pkgutil.walk_packages(package.__path__, f"{app}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Columns):
                    yield f"{module.name}.{name}", value
                elif isinstance(value, AnyOf):
                    yield f"{module.name}.{name}", value._of_size(Columns, 4)


def plan(
    query: Columns, never: Sequence[str] = ("seqscan", "hashjoin", "mergejoin")
) -> Iterator[dict[str, Any]]:
    """The nodes of its plan for any values; what it shall do `never` is the last resort."""
    text = query._text
    kinds = ", ".join(str(slot.output_field.cast_db_type(connection)) for slot in text.values)
    nothing = ", ".join(["NULL"] * len(text.values))
    with connection.cursor() as cursor:
        for way in never:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"PREPARE one{f'({kinds})' if kinds else ''} AS {numbered(text.sql)}")
        cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE one{f'({nothing})' if nothing else ''}")
        (explained,) = cursor.fetchone()
        cursor.execute("DEALLOCATE one")
    yield from nodes(
        (explained if isinstance(explained, list) else json.loads(explained))[0]["Plan"]
    )


def numbered(sql: str) -> str:
    first, *others = sql.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))


def nodes(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield of
    for below in of.get("Plans", []):
        yield from nodes(below)
