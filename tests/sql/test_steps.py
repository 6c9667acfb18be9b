"""Several changes in one statement do, on either database, what they do one after the other."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import event
from accounts.models import AuditEvent, Enrolment, NoticeAcceptance, Patient
from esanjeevani.sql.steps import Steps, insert_with, update_with
from tests.factories import a_facility, a_patient, a_user

pytestmark = pytest.mark.django_db

# Who is found may be renamed; whoever is renamed gets a line in the log.
RENAME = Steps(
    renamed="UPDATE accounts_patient SET name = %(name)s WHERE id = %(id)s AND name <> %(name)s "
    "RETURNING id, account_id",
    noted="INSERT INTO accounts_auditevent (at, by_id, action, target, patient_id, refused) "
    "SELECT %(at)s, account_id, 'renamed', '', id, FALSE FROM renamed RETURNING id",
    answer="SELECT renamed.id, account_id, noted.id FROM renamed JOIN noted ON TRUE",
)


def a_new_patient() -> Patient:
    like = a_patient()
    kept = ("account", "name", "sex", "birth_date", "address", "state")
    return Patient(**{name: getattr(like, name) for name in kept})


def test_a_row_and_what_points_to_it_are_inserted_together():
    new, meena, facility = a_new_patient(), a_user(), a_facility()
    enrolment = Enrolment(patient=new, facility=facility, enrolled_by=meena)
    with CaptureQueriesContext(connection) as asked:
        assert insert_with(new, event("patient.register", new, by=meena, patient=new), enrolment)
    if connection.vendor == "postgresql":
        assert len(asked) == 1
    assert Patient.objects.get(pk=new.pk) == new
    assert (new._state.adding, new._state.db) == (False, "default")
    (noted,) = AuditEvent.objects.filter(action="patient.register")
    assert (noted.patient, noted.by, noted.target) == (new, meena, f"patient:{new.uid}")
    assert Enrolment.objects.get().patient == new


def test_nothing_comes_with_a_row_that_is_there_already():
    asha = a_user()
    for _twice in range(2):
        accepted = NoticeAcceptance(user=asha, version="1", language="en")
        said = insert_with(accepted, event("notice.again", by=asha), unless_there=True)
    assert not said
    assert accepted.pk is None
    assert NoticeAcceptance.objects.filter(version="1").count() == 1
    assert AuditEvent.objects.filter(action="notice.again").count() == 1


def test_a_change_and_what_comes_with_it_are_both_or_neither():
    asha, meena = a_patient(name="Asha"), a_user()
    changes = {"name": "Asha Menon", "account": meena}
    for _twice in range(2):  # the second time she is not called Asha any more
        noted = event("patient.rename", asha, by=meena, patient=asha)
        changed = update_with(Patient, asha.pk, changes, noted, name="Asha")
    assert not changed
    assert Patient.objects.get(name="Asha Menon", account=meena) == asha
    (noted,) = AuditEvent.objects.filter(action="patient.rename")
    assert (noted.patient, noted.by, noted.target) == (asha, meena, f"patient:{asha.uid}")


def test_a_step_has_what_those_before_it_returned_and_does_nothing_without():
    asha = a_patient(name="Asha")
    at = asha.created_at
    ((changed, account, noted),) = RENAME.ask({"name": "Asha Menon", "id": asha.pk, "at": at})
    assert (changed, account) == (asha.pk, asha.account_id)
    assert AuditEvent.objects.get(action="renamed").pk == noted
    assert RENAME.ask({"name": "Asha Menon", "id": asha.pk, "at": at}) == []
    assert AuditEvent.objects.filter(action="renamed").count() == 1
