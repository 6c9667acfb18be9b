"""Who read or wrote what, from where; also what was refused."""

import pytest
from django.db import transaction
from django.test import Client

from accounts.actions import record, refuse, register_patient
from accounts.models import AuditEvent, Patient, User
from tests.factories import a_doctor, a_patient, a_phone, a_user, code_sent_to

pytestmark = pytest.mark.django_db


def signed_in_from(**where) -> str | None:
    """The address in the audit log of somebody who signs in."""
    phone = a_user().phone
    a_patient()
    browser = Client(**where)
    browser.post("/sign-in/", {"phone": phone})
    browser.post("/sign-in/code/", {"code": code_sent_to(phone)})
    return AuditEvent.objects.get(action="account.sign_in").address


def test_an_event_names_who_what_and_whose_data():
    patient = a_patient()
    record("patient.read", patient, by=patient.account, patient=patient)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.target) == ("patient.read", f"patient:{patient.uid}")
    assert (event.by, event.patient) == (patient.account, patient)
    assert (event.refused, event.address) == (False, None)


def test_a_row_without_a_public_id_is_named_by_its_key_and_a_word_by_itself():
    doctor = a_doctor()
    record("doctor.read", doctor, by=None)
    record("desk.read", "desk", by=User(phone=a_phone()))  # not saved: nobody
    events = AuditEvent.objects.order_by("-pk")[:2]
    assert [(event.target, event.by) for event in events] == [
        ("desk", None),
        (f"doctor:{doctor.pk}", None),
    ]


def test_a_refusal_is_marked():
    stranger = a_user()
    refuse("patient.refused", a_patient(), by=stranger)
    assert AuditEvent.objects.get(refused=True).by == stranger


def test_what_was_undone_leaves_no_trace_and_what_was_done_always_does():
    asha = a_user()
    twin = a_patient(asha, name="Ravi")
    before = AuditEvent.objects.count()

    with transaction.atomic():
        register_patient(patient=Patient(**values_of(twin)), by=asha, sure=True)
        transaction.set_rollback(True)
    assert (Patient.objects.count(), AuditEvent.objects.count()) == (1, before)

    register_patient(patient=Patient(**values_of(twin)), by=asha, sure=True)
    assert (Patient.objects.count(), AuditEvent.objects.count()) == (2, before + 1)


def values_of(patient) -> dict:
    wanted = ["name", "sex", "birth_date", "address", "state", "language"]
    return {name: getattr(patient, name) for name in wanted}


def test_the_address_is_that_of_the_connection():
    assert signed_in_from(REMOTE_ADDR="192.0.2.7") == "192.0.2.7"


def test_a_header_that_no_proxy_of_ours_wrote_is_not_believed():
    headers = {"X-Forwarded-For": "203.0.113.5"}
    assert signed_in_from(REMOTE_ADDR="192.0.2.7", headers=headers) == "192.0.2.7"


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (1, "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (2, "198.51.100.1, 203.0.113.5", "198.51.100.1"),
        (2, "203.0.113.5", "192.0.2.7"),
        (1, "2001:db8::5", "2001:db8::5"),
        (1, "", "192.0.2.7"),
        (1, "unknown", "192.0.2.7"),
        (1, "203.0.113.5:4711", "192.0.2.7"),
    ],
)
def test_a_proxy_of_ours_is_believed_as_far_as_it_wrote(settings, proxies, header, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": header}
    assert signed_in_from(REMOTE_ADDR="192.0.2.7", headers=headers) == address


def test_outside_of_a_request_there_is_no_address():
    Client(REMOTE_ADDR="192.0.2.7").get("/")
    record("sweep", by=None)
    assert AuditEvent.objects.get().address is None
