"""Every address of a consultation: a stranger gets 404 and is written down, a wrong method 405.

The addresses are read from the URL table, so a new one is asked here too.
"""

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from accounts.actions import accept_notice
from accounts.models import AuditEvent
from consult import actions
from consult.models import Consultation
from consult.uploads import clean_upload
from consult.urls import urlpatterns as of_consult
from queues.urls import urlpatterns as of_queue
from tests.factories import (
    a_clinic,
    a_doctor,
    a_pdf,
    a_user,
    an_upload,
    as_patient,
    as_staff,
    in_the_room,
    on_duty,
    prescribed,
    refused_to,
)

pytestmark = pytest.mark.django_db

POST_ONLY = {
    "answer", "leave", "discard", "remove_file", "post_message", "feedback", "call_next", "save",
    "revise", "send_back", "pass_over", "start_duty", "pause_duty", "resume_duty", "end_duty",
}  # fmt: skip
GET_AND_POST = {"case", "files", "confirm", "grievance", "messages"}


def named(pattern: URLPattern) -> str:
    return f"{'queue' if pattern in of_queue else 'consult'}:{pattern.name}"


ALL = [pattern for pattern in [*of_consult, *of_queue] if pattern.name]
OF_ONE_CONSULTATION = [p for p in ALL if "consultation" in p.pattern.converters]
DOCTORS = [p for p in ALL if str(p.pattern).startswith("doctor/")]


@pytest.fixture
def theirs() -> Consultation:
    """Somebody's consultation in progress, with a file and an issued prescription."""
    clinic = a_clinic()
    rao = on_duty(clinic)
    consultation = in_the_room(clinic, rao)
    clean_upload(an_upload(a_pdf())).attach(consultation, consultation.patient.account)
    issued = prescribed(consultation)
    actions.render_prescription(issued.pk)
    return consultation


def address(pattern: URLPattern, consultation: Consultation) -> str:
    values = {
        "consultation": consultation.uid,
        "attachment": consultation.attachments.get().uid,
        "patient": consultation.patient.uid,
        "clinic": consultation.clinic.uid,
        "code": "unknown",
    }
    wanted = {name: values[name] for name in pattern.pattern.converters}
    return reverse(named(pattern), kwargs=wanted)


def ask(client: Client, pattern: URLPattern, consultation: Consultation):
    method = client.post if pattern.name in POST_ONLY else client.get
    return method(address(pattern, consultation))


def everything(consultation: Consultation) -> list:
    """All that a stranger's try could have changed."""
    tables = [Consultation, type(consultation.token)]
    related = [consultation.messages, consultation.attachments, consultation.prescriptions]
    return [list(t.objects.values()) for t in tables] + [list(r.values()) for r in related]


def test_another_patient_gets_404_everywhere_and_is_written_down(theirs: Consultation):
    stranger, before = a_user(), everything(theirs)
    client = as_patient(stranger)
    got = {p.name: ask(client, p, theirs).status_code for p in OF_ONE_CONSULTATION}
    assert got == {p.name: 302 if p in DOCTORS else 404 for p in OF_ONE_CONSULTATION}
    not_found = [name for name, status in got.items() if status == 404]
    assert refused_to(stranger) == [f"consultation:{theirs.uid}"] * len(not_found)
    assert everything(theirs) == before


def test_another_doctor_gets_404_everywhere_and_is_written_down(theirs: Consultation):
    das, before = on_duty(theirs.clinic, a_doctor()), everything(theirs)
    accept_notice(by=das.user, language="en")
    client = as_staff(das.user)
    got = {p.name: ask(client, p, theirs).status_code for p in OF_ONE_CONSULTATION}
    assert got == {p.name: 404 for p in OF_ONE_CONSULTATION}
    assert refused_to(das.user) == [f"consultation:{theirs.uid}"] * len(got)
    assert everything(theirs) == before


def test_who_is_not_signed_in_is_sent_to_sign_in(theirs: Consultation):
    before = everything(theirs)
    answers = {p.name: ask(Client(), p, theirs) for p in OF_ONE_CONSULTATION}
    api = answers.pop("messages")
    assert (api.status_code, api.json()["code"]) == (401, "not_authenticated")
    sent_to = {name: answer.url.partition("?next=")[0] for name, answer in answers.items()}
    doctors = {p.name for p in DOCTORS}
    assert sent_to == {
        name: "/staff/sign-in/" if name in doctors else "/sign-in/" for name in answers
    }
    assert everything(theirs) == before


def test_what_is_not_there_is_404_and_nobodys_guilt(theirs: Consultation):
    patient, doctor = as_patient(theirs.patient.account), as_staff(theirs.doctor.user)
    theirs.uid = uuid.uuid4()
    got = {
        p.name: ask(doctor if p in DOCTORS else patient, p, theirs).status_code
        for p in OF_ONE_CONSULTATION
    }
    assert got == {p.name: 404 for p in OF_ONE_CONSULTATION}
    assert AuditEvent.objects.filter(refused=True).count() == 0


def test_a_doctors_page_is_for_doctors_with_both_factors(theirs: Consultation):
    somebody = a_doctor()
    staff = as_staff(somebody.user)
    somebody.delete()
    got = {p.name: ask(staff, p, theirs).status_code for p in DOCTORS}
    assert got == {p.name: 403 for p in DOCTORS}
    one_factor = as_staff(theirs.doctor.user)
    session = one_factor.session
    del session["otp_device_id"]
    session.save()
    sent_to = {p.name: ask(one_factor, p, theirs).url.partition("?")[0] for p in DOCTORS}
    assert sent_to == {p.name: "/staff/second-factor/" for p in DOCTORS}


def test_a_wrong_method_is_405_and_does_nothing(theirs: Consultation):
    patient, doctor = as_patient(theirs.patient.account), as_staff(theirs.doctor.user)
    before = everything(theirs)
    for pattern in ALL:
        wrong = {"put", "delete", "patch"}
        if pattern.name not in GET_AND_POST:
            wrong |= {"get"} if pattern.name in POST_ONLY else {"post"}
        visitor = doctor if pattern in DOCTORS else patient
        path = address(pattern, theirs)
        got = {method: getattr(visitor, method)(path).status_code for method in wrong}
        assert (pattern.name, got) == (pattern.name, dict.fromkeys(wrong, 405))
    assert everything(theirs) == before
