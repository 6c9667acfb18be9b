"""Rows that change together: all of them or none, whichever is not as it was read."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import transaction

from accounts.actions import event
from accounts.models import AuditEvent, Patient, User
from esanjeevani.sql.changes import Change, change_all
from tests.at_once import behind
from tests.factories import a_patient, a_user

pytestmark = pytest.mark.django_db


def rename(asha: Patient, **read) -> bool:
    """The patient and the language of the account, and a line of who did it."""
    was = {"name": "Asha", "language": "en"} | read
    with transaction.atomic():
        return change_all(
            Change(asha, {"name": "Asha Menon"}, {"name": was["name"]}),
            Change(asha.account, {"language": "hi"}, {"language": was["language"]}),
            beside=[event("patient.rename", asha, by=asha.account, patient=asha)],
        )


def as_they_are(asha: Patient) -> tuple[str, str, int]:
    row = Patient.objects.select_related("account").get(pk=asha.pk)
    noted = AuditEvent.objects.filter(action="patient.rename", patient=asha)
    return row.name, row.account.language, noted.count()


@pytest.fixture
def asha() -> Patient:
    a_patient(name="Asha")
    return a_patient(a_user(language="en"), name="Asha")


def test_all_change_and_what_comes_beside_is_inserted(asha):
    assert rename(asha)
    assert as_they_are(asha) == ("Asha Menon", "hi", 1)
    assert Patient.objects.filter(name="Asha").count() == 1
    assert User.objects.filter(language="hi").count() == 1


@pytest.mark.parametrize("read", [{"name": "Aisha"}, {"language": "hi"}])
def test_nothing_is_done_where_one_of_them_is_not_as_it_was_read(asha, read):
    assert not rename(asha, **read)
    assert as_they_are(asha) == ("Asha", "en", 0)


@pytest.mark.django_db(transaction=True)
def test_they_change_with_the_transaction_around_them(asha):
    with pytest.raises(ZeroDivisionError):
        rename_and_fail(asha)
    assert as_they_are(asha) == ("Asha", "en", 0)
    assert rename(asha)
    assert as_they_are(asha) == ("Asha Menon", "hi", 1)


@transaction.atomic
def rename_and_fail(asha: Patient) -> None:
    assert rename(asha)
    raise ZeroDivisionError


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("meanwhile", "is_done"), [("Asha", True), ("Aisha", False)])
def test_who_waited_for_another_change_looks_at_the_row_again(asha, meanwhile, is_done):
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Patient.objects.filter(pk=asha.pk).update(name=meanwhile, address="Belwa")
            renamed = behind(threads, partial(rename, asha))
        assert renamed.result(timeout=60) is is_done
    name = "Asha Menon" if is_done else meanwhile
    assert as_they_are(asha) == (name, "hi" if is_done else "en", int(is_done))
    assert Patient.objects.get(pk=asha.pk).address == "Belwa"
