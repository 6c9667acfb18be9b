"""Queries composed once and rows written by hand give what the ORM gives, on either database."""

from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import IntegrityError, NotSupportedError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import event
from accounts.models import AuditEvent, Patient, User
from consult.models import Consultation
from esanjeevani.sql.any_of import ALL_SIZES, FEW, AnyOf, in_shares
from esanjeevani.sql.composed import Columns, Composed
from esanjeevani.sql.prepared import ask
from esanjeevani.sql.rows import insert, insert_all, insert_unless_there, update
from queues.models import Clinic, MoveRefused, Token
from tests.factories import a_clinic, a_draft, a_patient, a_user, on_duty, waiting

pytestmark = pytest.mark.django_db

CASE = Composed(
    lambda account, uid: Consultation.objects.with_people().filter(
        patient__account=account, uid=uid
    ),
    account=models.BigAutoField(),
    uid=models.UUIDField(),
)


def staffed() -> Clinic:
    clinic = a_clinic()
    on_duty(clinic)
    return clinic


def plain(row: models.Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_gives_the_rows_that_the_orm_gives_with_those_they_bring():
    case = waiting(staffed())
    found = CASE.first(account=case.patient.account_id, uid=case.uid)
    as_the_orm = Consultation.objects.with_people().get(pk=case.pk)
    assert plain(found) == plain(as_the_orm)
    with CaptureQueriesContext(connection) as queries:
        assert plain(found.patient) == plain(as_the_orm.patient)
        assert plain(found.clinic) == plain(as_the_orm.clinic)
        assert plain(found.token) == plain(as_the_orm.token)
        assert found.doctor is None
    assert len(queries) == 0
    found.complaint = "Changed"
    found.save()
    case.refresh_from_db()
    assert case.complaint == "Changed"


def test_each_asking_has_its_own_values():
    first, second = a_draft(a_clinic()), a_draft(a_clinic(), a_patient(name="Ravi"))
    for case in (first, second, first):
        assert CASE.first(account=case.patient.account_id, uid=case.uid) == case
    stranger = User.objects.create(phone="+919800000001")
    assert CASE.first(account=stranger.pk, uid=first.uid) is None
    assert CASE.all(account=stranger.pk, uid=first.uid) == []


def test_what_is_annotated_comes_with_the_row():
    case = waiting(staffed())
    with_state = Composed(
        lambda uid: (
            Consultation.objects.select_related("patient")
            .filter(uid=uid)
            .annotate(has_token=models.Exists(Token.objects.filter(pk=models.OuterRef("token"))))
        ),
        uid=models.UUIDField(),
    )
    found = with_state.first(uid=case.uid)
    assert (found, found.patient, found.has_token) == (case, case.patient, True)


def test_whoever_listens_to_new_instances_hears_of_these():
    asha, heard = a_patient(), []

    def listen(instance: Patient, **_: object) -> None:
        heard.append(instance.name)

    by_number = Composed(
        lambda number: Patient.objects.filter(number=number), number=models.CharField()
    )
    models.signals.post_init.connect(listen, sender=Patient)
    try:
        by_number.first(number=asha.number)
    finally:
        models.signals.post_init.disconnect(listen, sender=Patient)
    assert heard == [asha.name]


def test_a_column_that_was_not_asked_for_is_fetched_when_it_is_read():
    asha = a_patient()
    names = Composed(
        lambda number: Patient.objects.only("name").filter(number=number),
        number=models.CharField(),
    )
    found = names.first(number=asha.number)
    assert found.get_deferred_fields() == Patient.objects.only("name").get().get_deferred_fields()
    assert (found.name, found.number) == (asha.name, asha.number)


def test_a_row_is_inserted_with_its_defaults_and_gets_its_key():
    asha = a_patient()
    copy = Patient(
        **{
            name: value
            for name, value in plain(asha).items()
            if name not in {"id", "uid", "number"}
        }
    )
    insert(copy)
    assert plain(Patient.objects.get(pk=copy.pk)) == plain(copy)
    copy.name = "Asha again"
    copy.save()
    assert Patient.objects.get(pk=copy.pk).name == "Asha again"


def test_constraints_hold_and_a_row_that_is_there_is_left():
    draft = a_draft(a_clinic())
    another = Consultation(patient=draft.patient, clinic=draft.clinic)
    assert insert_unless_there(another) is False
    assert another.pk is None
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(another)
    assert Consultation.objects.count() == 1


def test_several_rows_are_inserted_at_once_each_with_its_own_values():
    events = [AuditEvent(action="x", target=name) for name in ("first", "second", "third")]
    insert_all(events)
    insert_all([])
    written = {one.target: plain(one) for one in AuditEvent.objects.all()}
    assert written.keys() == {"first", "second", "third"}
    for one in events:
        one.pk = written[one.target]["id"]
        assert written[one.target] == plain(one)


def test_an_update_changes_the_row_only_from_where_it_was():
    token = waiting(staffed()).token
    later = timezone.now() + timedelta(minutes=5)
    assert (
        update(Token, token.pk, {"told_at": later, "patient": token.patient}, state="called") == 0
    )
    assert update(Token, token.pk, {"told_at": later}, state="waiting") == 1
    token.refresh_from_db()
    assert token.told_at == later
    stale = Token.objects.get(pk=token.pk)
    token.leave()
    with pytest.raises(MoveRefused):
        stale.leave()


@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::1", None])
def test_a_refusal_and_a_reading_are_written_down_alike(address):
    refused = AuditEvent(action="x", target="y", address=address, refused=True)
    insert(refused)
    assert plain(AuditEvent.objects.get()) == plain(refused)


def test_columns_come_as_values_list_gives_them():
    clinic = staffed()
    first, second = waiting(clinic), waiting(clinic)
    in_line = Columns(
        lambda clinic: Token.objects.in_line(clinic).order_by("number").values_list("pk", "uid"),
        clinic=models.BigAutoField(),
    )
    for _ in range(2):
        assert in_line.columns(clinic=clinic.pk) == [
            (first.token_id, first.token.uid), (second.token_id, second.token.uid),
        ]  # fmt: skip
    assert in_line.columns(clinic=a_clinic().pk) == []


def test_what_never_changes_stands_in_the_text_so_that_any_plan_finds_the_index_by_it():
    """On PostgreSQL, which plans a prepared query for any values of what does not."""
    case = waiting(staffed())
    of_line = Composed(
        lambda clinic: Token.objects.filter(
            clinic=clinic, state=Token.State.WAITING, clinic__name__contains="100% s%s'"
        ),
        clinic=models.BigAutoField(),
    )
    assert of_line.all(clinic=case.clinic_id) == []
    Clinic.objects.filter(pk=case.clinic_id).update(name="At 100% s%s' here")
    assert of_line.all(clinic=case.clinic_id) == [case.token]
    if connection.vendor == "postgresql":
        assert [one.name for one in of_line._text.values] == ["clinic"]
        assert """."state" = 'waiting'""" in of_line._text.sql


def test_a_composed_query_is_prepared_by_postgresql_and_gives_the_same_from_then_on():
    case = waiting(staffed())
    of_clinic = Composed(
        lambda uid: Clinic.objects.filter(uid=uid, is_active=True), uid=models.UUIDField()
    )
    for _ in range(8):  # planned for any values after the fifth
        assert of_clinic.first(uid=case.clinic.uid) == case.clinic
        assert of_clinic.first(uid=case.uid) is None
    before = what_is_prepared()
    again = Token(clinic=case.clinic, patient=case.patient, number=1, day=case.token.day)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(again)
    assert of_clinic.first(uid=case.clinic.uid) == case.clinic
    if connection.vendor == "postgresql":
        asked = of_clinic._text.sql.replace("%s", "$1")
        (name,) = [name for name, text in before.items() if text == asked]
        assert what_is_prepared()[name] == asked  # the savepoint did not take it


@pytest.mark.django_db(transaction=True)
def test_what_is_prepared_outlives_a_transaction_that_is_undone():
    clinic = a_clinic()
    by_uid = Composed(lambda uid: Clinic.objects.filter(uid=uid), uid=models.UUIDField())
    for _ in range(3):
        assert by_uid.first(uid=clinic.uid) == clinic
    before = what_is_prepared()
    with transaction.atomic():
        Clinic.objects.update(name="Undone")
        assert by_uid.first(uid=clinic.uid).name == "Undone"
        transaction.set_rollback(True)
    assert by_uid.first(uid=clinic.uid).name == clinic.name
    assert before.items() <= what_is_prepared().items()
    assert len(before) > 0 or connection.vendor != "postgresql"


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_migration_beside_us_fails_one_question_and_not_each_one_after_it():
    """As old processes serve on while a new version changes the type of a column."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (number integer)")
    try:
        asked = "SELECT number FROM changing"
        ask(asked)
        assert asked in what_is_prepared().values()
        with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as beside:
            beside.execute("ALTER TABLE changing ALTER number TYPE bigint")
        with pytest.raises(NotSupportedError):
            ask(asked)
        ask(asked)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")


@pytest.mark.postgresql
def test_a_table_that_is_changed_here_is_planned_anew_by_postgresql():
    asked = "SELECT number FROM changing"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changing (number integer)")
    ask(asked)
    assert asked in what_is_prepared().values()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE changing ADD other integer")
        cursor.execute("INSERT INTO changing VALUES (7, 8)")
    assert ask(asked).rows == [(7,)]


def test_that_somebody_reads_is_written_down_by_the_statement_that_reads():
    clinic, meena = a_clinic(), a_user()
    names = Columns(
        lambda uid: Clinic.objects.filter(uid=uid).values_list("name"), uid=models.UUIDField()
    )
    for _twice in range(2):
        with CaptureQueriesContext(connection) as captured:
            found = names.columns(event("clinic.read", clinic, by=meena), uid=clinic.uid)
        assert found == [(clinic.name,)]
    assert AuditEvent.objects.filter(action="clinic.read", by=meena).count() == 2
    if connection.vendor == "postgresql":
        assert len(captured) == 1
    assert names.columns(uid=clinic.uid) == found
    assert AuditEvent.objects.filter(action="clinic.read").count() == 2


def what_is_prepared() -> dict[str, str]:
    """On this connection, by the name that each was given."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement FROM pg_prepared_statements")
        return dict(cursor.fetchall())


def test_any_of_many_keys_is_asked_for_in_few_texts():
    clinics = [a_clinic(always_open=False) for _ in range(70)]
    some = AnyOf(
        lambda keys, but: Clinic.objects.filter(pk__in=keys).exclude(pk=but).order_by("pk"),
        models.BigAutoField(),
        but=models.BigAutoField(),
    )
    pks = [clinic.pk for clinic in clinics]
    for asked, queries in [([], 0), (pks[:1], 1), (pks[:4], 1), (pks[2:30], 1), (pks, 2)]:
        with CaptureQueriesContext(connection) as captured:
            found = some.all(asked, but=pks[3])
        assert [one.pk for one in found] == [pk for pk in asked if pk != pks[3]]
        assert len(captured) == queries


@pytest.mark.parametrize(("sizes", "most"), [(FEW, 64), (ALL_SIZES, 1024)])
def test_so_many_keys_as_there_are_go_into_shares_of_a_few_sizes(sizes, most):
    shares = [share for many in range(1, most + 1) for share in in_shares(range(many), sizes)]
    assert {len(share) for share in shares} == set(sizes)
    assert len(shares) == most


@pytest.mark.parametrize(
    ("said", "kept"), [("2001:DB8::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), (None, None)]
)
def test_an_address_is_kept_as_the_database_writes_it(said, kept):
    seen = AuditEvent(action="seen", address=said)
    insert(seen)
    assert AuditEvent.objects.get(pk=seen.pk).address == kept


def test_a_time_without_a_zone_is_no_time():
    with pytest.raises((ValueError, RuntimeWarning)):
        insert(AuditEvent(action="seen", at=datetime(2026, 11, 28)))
