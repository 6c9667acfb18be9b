"""Every address of a consultation: a stranger gets 404 and is written down, a wrong method 405.

The addresses are read from the URL table, so a new one is asked here too.
"""

import uuid
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actions import accept_notice
from accounts.models import AuditEvent, Doctor, Enrolment, User
from consult import actions
from consult.models import Consultation, Dispensing, FollowUp, Instruction, Opinion, Referral
from consult.uploads import clean_upload
from consult.urls import urlpatterns as of_consult
from queues.urls import urlpatterns as of_queue
from tests.addresses import Address, addresses
from tests.factories import (
    a_doctor,
    a_facility,
    a_health_worker,
    a_hub,
    a_pdf,
    a_specialist,
    a_user,
    an_opinion,
    an_upload,
    as_patient,
    as_staff,
    before_the_screen,
    centre_of,
    on_duty,
    prescribed,
    refused_to,
)

pytestmark = pytest.mark.django_db

POST_ONLY = {
    "answer", "leave", "discard", "remove_file", "post_message", "feedback", "call_next", "save",
    "revise", "send_back", "pass_over", "report", "phone", "in_text", "put_back",
    "start_duty", "pause_duty", "resume_duty", "end_duty",
    # of the doctor who asks others, or notes earlier care
    "join", "take_written", "instruct", "ask_opinion", "withdraw_opinion", "transfer", "refer",
    "record_visit", "record_paper", "emergency", "refer_emergency", "take_refill",
    "withdraw_refill",
    # of the national network
    "abha_link", "abha_code", "abha_verify", "ask_elsewhere",
    # of the health centre
    "choose_facility", "centre_here", "centre_open", "close_follow_up", "centre_add_file",
    "centre_remove_file", "centre_discard", "centre_send_again", "centre_reopen", "centre_move",
    "centre_settle", "centre_answer", "centre_take_over", "centre_leave", "centre_measure",
    "centre_phone_in_call",    "centre_carry_out", "centre_dispense",
}  # fmt: skip
GET_AND_POST = {
    "case", "files", "confirm", "grievance", "messages", "specialists_room", "centre_register",
    "centre_case", "centre_send", "ask_refill", "centre_shared",
}  # fmt: skip


ALL = [*addresses(of_consult, "consult"), *addresses(of_queue, "queue")]
DOCTORS = [p for p in ALL if p.route.startswith("doctor/")]
CENTRES = [p for p in ALL if p.route.startswith("centre/")]
STAFFS = [*DOCTORS, *CENTRES]
OF_ONE_CASE = [p for p in ALL if p.holds & {"consultation", "opinion", "follow_up"}]
OF_ONE_CONSULTATION = [p for p in OF_ONE_CASE if "consultation" in p.holds]
OF_ONE_PATIENT = [p for p in CENTRES if "patient" in p.holds]


@dataclass
class Theirs:
    """Somebody's case in progress at a health centre, with all that can hang on one."""

    consultation: Consultation
    opinion: Opinion
    follow_up: FollowUp
    instruction: Instruction
    meena: User
    rao: Doctor


@pytest.fixture
def theirs() -> Theirs:
    meena = a_health_worker()
    clinic, skin = a_hub(centre_of(meena)), a_hub(centre_of(meena), "dermatology")
    rao = on_duty(clinic)
    case = before_the_screen(meena, clinic, rao)
    clean_upload(an_upload(a_pdf())).attach(case, meena)
    actions.render_prescription(prescribed(case).pk)
    actions.refer_in_person(
        consultation=case, doctor=rao, urgency="routine", reason="X-ray", place="Sadar hospital"
    )
    follow_up = FollowUp.objects.create(
        consultation=case, patient=case.patient, facility=case.facility, due_on=timezone.localdate()
    )
    instruction = actions.instruct(consultation=case, by=rao.user, words="Measure again")
    return Theirs(case, an_opinion(case, skin), follow_up, instruction, meena, rao)


def address(pattern: Address, of: Theirs) -> str:
    case = of.consultation
    values = {
        "consultation": case.uid,
        "attachment": case.attachments.get().uid,
        "referral": case.referrals.get().uid,
        "patient": case.patient.uid,
        "clinic": case.clinic.uid,
        "opinion": of.opinion.uid,
        "follow_up": of.follow_up.uid,
        "instruction": of.instruction.pk,
        "code": "unknown",
        "refill": uuid.UUID(int=1),
        "shared": uuid.UUID(int=1),
        "document": uuid.UUID(int=1),
        "number": 0,
    }
    wanted = {name: values[name] for name in pattern.holds}
    return reverse(pattern.full_name, kwargs=wanted)


def ask(client: Client, pattern: Address, of: Theirs):
    method = client.post if pattern.name in POST_ONLY else client.get
    return method(address(pattern, of))


def everything(of: Theirs) -> list:
    """All that a stranger's try could have changed."""
    case = of.consultation
    tables = [
        Consultation, type(case.token), FollowUp, Instruction, Opinion, Referral, Dispensing, Enrolment,
    ]  # fmt: skip
    related = [case.messages, case.attachments, case.prescriptions, case.observations]
    return [list(t.objects.values()) for t in tables] + [list(r.values()) for r in related]


def target(pattern: Address, of: Theirs) -> str:
    """What the audit log names."""
    if "consultation" in pattern.holds:
        return f"consultation:{of.consultation.uid}"
    if "opinion" in pattern.holds:
        return f"opinion:{of.opinion.uid}"
    if "follow_up" in pattern.holds:
        return f"followup:{of.follow_up.uid}"
    return f"patient:{of.consultation.patient.uid}"


def test_another_patient_gets_404_everywhere_and_is_written_down(theirs: Theirs):
    stranger, before = a_user(), everything(theirs)
    client = as_patient(stranger)
    got = {p.name: ask(client, p, theirs).status_code for p in OF_ONE_CASE}
    assert got == {p.name: 302 if p in STAFFS else 404 for p in OF_ONE_CASE}
    not_found = [p for p in OF_ONE_CASE if p not in STAFFS]
    assert refused_to(stranger) == [target(p, theirs) for p in not_found]
    assert everything(theirs) == before


def test_another_doctor_gets_404_everywhere_and_is_written_down(theirs: Theirs):
    das, before = on_duty(theirs.consultation.clinic, a_doctor()), everything(theirs)
    accept_notice(by=das.user, language="en")
    client = as_staff(das.user)
    got = {p.name: ask(client, p, theirs).status_code for p in OF_ONE_CASE}
    assert got == {p.name: 404 for p in OF_ONE_CASE}
    assert refused_to(das.user) == [
        address(p, theirs)[:80] if p in CENTRES else target(p, theirs) for p in OF_ONE_CASE
    ]
    assert everything(theirs) == before


def test_a_specialist_who_was_asked_but_has_not_come_in_sees_nothing(theirs: Theirs):
    skin = a_specialist(theirs.opinion.clinic)
    accept_notice(by=skin.user, language="en")
    before, client = everything(theirs), as_staff(skin.user)
    pages = [p for p in OF_ONE_CONSULTATION if p not in CENTRES]
    got = {p.name: ask(client, p, theirs).status_code for p in pages}
    assert got == {p.name: 404 for p in pages}
    assert everything(theirs) == before


def test_another_health_centre_gets_404_everywhere_and_is_written_down(theirs: Theirs):
    sunita, before = a_health_worker(a_facility(name="Rampur sub-centre")), everything(theirs)
    accept_notice(by=sunita, language="en")
    client = as_staff(sunita)
    asked = [p for p in [*OF_ONE_CASE, *OF_ONE_PATIENT] if p not in DOCTORS]
    got = {p.name: ask(client, p, theirs).status_code for p in asked}
    assert got == {p.name: 404 for p in asked}
    assert refused_to(sunita) == [target(p, theirs) for p in asked]
    assert everything(theirs) == before


def test_once_the_post_has_ended_the_health_worker_sees_nothing_and_is_written_down(
    theirs: Theirs,
):
    meena, before = theirs.meena, everything(theirs)
    accept_notice(by=meena, language="en")
    meena.posts.update(ended_at=timezone.now())
    client = as_staff(meena)
    asked = [p for p in ALL if p in CENTRES or (p in OF_ONE_CONSULTATION and p not in DOCTORS)]
    got = {p.name: ask(client, p, theirs).status_code for p in asked}
    assert got == {p.name: 404 if p.holds else 403 for p in asked}
    assert len(refused_to(meena)) == len(asked)
    assert everything(theirs) == before


def test_who_is_not_signed_in_is_sent_to_sign_in(theirs: Theirs):
    before = everything(theirs)
    answers = {p.name: ask(Client(), p, theirs) for p in [*OF_ONE_CASE, *CENTRES]}
    api = answers.pop("messages")
    assert (api.status_code, api.json()["code"]) == (401, "not_authenticated")
    sent_to = {name: answer.url.partition("?next=")[0] for name, answer in answers.items()}
    staffs = {p.name for p in STAFFS}
    assert sent_to == {
        name: "/staff/sign-in/" if name in staffs else "/sign-in/" for name in answers
    }
    assert everything(theirs) == before


def test_what_is_not_there_is_404_and_nobodys_guilt(theirs: Theirs):
    patient = as_patient(theirs.consultation.patient.account)
    doctor, meena = as_staff(theirs.rao.user), as_staff(theirs.meena)
    for row in (theirs.consultation, theirs.opinion, theirs.follow_up):
        row.uid = uuid.uuid4()
    got = {
        p.name: ask(
            doctor if p in DOCTORS else meena if p in CENTRES else patient, p, theirs
        ).status_code
        for p in OF_ONE_CASE
    }
    assert got == {p.name: 404 for p in OF_ONE_CASE}
    assert AuditEvent.objects.filter(refused=True).count() == 0


@pytest.mark.parametrize("pages", [DOCTORS, CENTRES], ids=["doctors", "centres"])
def test_a_staff_page_is_for_those_of_the_task_with_both_factors(theirs: Theirs, pages):
    somebody = a_doctor()
    staff = as_staff(somebody.user)
    somebody.delete()
    got = {p.name: ask(staff, p, theirs).status_code for p in pages}
    of_nobody = [p for p in pages if p in DOCTORS or not p.holds]
    assert got == {p.name: 403 if p in of_nobody else 404 for p in pages}
    one_factor = as_staff(theirs.rao.user if pages is DOCTORS else theirs.meena)
    session = one_factor.session
    del session["otp_device_id"]
    session.save()
    sent_to = {p.name: ask(one_factor, p, theirs).url.partition("?")[0] for p in pages}
    assert sent_to == {p.name: "/staff/second-factor/" for p in pages}


def test_a_code_by_sms_is_no_key_to_the_staffs_side_of_a_case(theirs: Theirs):
    """Signed in on the phone, the health worker is nobody to the files, the talk and the letters."""
    accept_notice(by=theirs.meena, language="en")
    accept_notice(by=theirs.rao.user, language="en")
    pages = [p for p in OF_ONE_CONSULTATION if p not in STAFFS]
    for user in (theirs.meena, theirs.rao.user):
        phone = as_patient(user)
        got = {p.name: ask(phone, p, theirs).status_code for p in pages}
        assert got == {p.name: 404 for p in pages}


def test_each_side_has_its_own_buttons_only(theirs: Theirs):
    """The patient's account sees the case of the health centre, and moves nothing in it."""
    before = everything(theirs)
    patient = as_patient(theirs.consultation.patient.account)
    assert ask(patient, _pattern("visit"), theirs).status_code == 200
    moves = ["answer", "leave", "discard", "remove_file", "confirm", "files", "devices"]
    got = {name: ask(patient, _pattern(name), theirs).status_code for name in moves}
    assert got == dict.fromkeys(moves, 404)
    assert ask(patient, _pattern("report"), theirs).status_code == 302
    assert everything(theirs) == before


def _pattern(name: str) -> Address:
    return next(p for p in ALL if p.name == name)


def test_a_wrong_method_is_405_and_does_nothing(theirs: Theirs):
    patient = as_patient(theirs.consultation.patient.account)
    doctor, meena = as_staff(theirs.rao.user), as_staff(theirs.meena)
    before = everything(theirs)
    for pattern in ALL:
        wrong = {"put", "delete", "patch"}
        if pattern.name not in GET_AND_POST:
            wrong |= {"get"} if pattern.name in POST_ONLY else {"post"}
        visitor = doctor if pattern in DOCTORS else meena if pattern in CENTRES else patient
        path = address(pattern, theirs)
        got = {method: getattr(visitor, method)(path).status_code for method in wrong}
        assert (pattern.name, got) == (pattern.name, dict.fromkeys(wrong, 405))
    assert everything(theirs) == before
