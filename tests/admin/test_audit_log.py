"""The admin: what it leaves in the audit log."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Patient
from consult.models import Dispensing
from tests.admin.acting import page, refused_fields, sign_in
from tests.admin.rows import AUDITED, make_patient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("make", AUDITED)
def test_opening_a_page_of_patient_data_is_written_down(boss_client, boss, make):
    row = make()
    boss_client.get(page(row))
    event = AuditEvent.objects.get(action="admin.read")
    assert event.by == boss
    assert event.target == f"{row._meta.model_name}:{getattr(row, 'uid', row.pk)}"
    assert event.patient == patient_of(row)


def patient_of(row) -> Patient:
    if isinstance(row, Patient):
        return row
    if isinstance(row, Dispensing):
        row = row.line.prescription
    return getattr(row, "patient", None) or row.consultation.patient


def test_opening_a_list_of_patient_data_is_written_down(boss_client, boss):
    boss_client.get(page(make_patient(), "changelist"))
    event = AuditEvent.objects.get(action="admin.list")
    assert (event.by, event.target, event.patient) == (boss, "patient", None)


def test_a_refused_page_is_not_written_down_as_read(client, officer):
    sign_in(client, officer("accounts.view_doctor"))
    client.get(page(make_patient()))
    assert not AuditEvent.objects.filter(action__startswith="admin.").exists()


def patient_data(patient: Patient, **changed) -> dict:
    return {
        "name": patient.name, "sex": patient.sex, "birth_date": "1990-05-01",
        "address": patient.address, "state": patient.state_id, "language": "en",
        "guardian_name": "", "guardian_relation": "", "abha_number": "", "district": "", "age": "",
    } | changed  # fmt: skip


def test_a_mended_patient_is_audited(boss_client, boss):
    patient = make_patient()
    response = boss_client.post(page(patient), patient_data(patient, name="Asha Menon"))
    assert response.status_code == 302
    patient.refresh_from_db()
    assert patient.name == "Asha Menon"
    event = AuditEvent.objects.get(action="patient.update")
    assert (event.by, event.patient) == (boss, patient)


def test_the_patients_own_rules_hold_in_the_admin(boss_client):
    patient = make_patient()
    born = str(timezone.localdate() - timedelta(days=3000))
    response = boss_client.post(page(patient), patient_data(patient, birth_date=born))
    assert {"guardian_name", "guardian_relation"} <= refused_fields(response).keys()


def test_an_officer_who_may_only_look_looks_at_a_patient(client, officer):
    sign_in(client, officer("accounts.view_patient"))
    patient = make_patient()
    response = client.get(page(patient))
    assert patient.spaced_number in response.content.decode()
    assert client.post(page(patient), patient_data(patient)).status_code == 403
