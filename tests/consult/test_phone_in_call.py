"""The patient's own phone in the call of a health centre: let in by the patient, put out at once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from consult import actions
from consult.models import CallEvent, Consultation
from consult.people import Role
from esanjeevani.middleware import CALL_ALLOWED
from queues.models import MoveRefused
from tests.consult.test_signalling import DOCTORS, MEDIA, OFFER, hears_nothing_of_a_call, join, say
from tests.factories import (
    a_clinic,
    a_health_worker,
    a_hub,
    as_patient,
    as_staff,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
    sent,
)
from tests.open_pages import page, room
from tests.running import Site, browser_of, post

pytestmark = pytest.mark.django_db
PHONE = "phonespage1"


def a_case() -> Consultation:
    """Before Meena's screen, with Dr Rao."""
    meena = a_health_worker()
    hub = a_hub(centre_of(meena))
    return before_the_screen(meena, hub, on_duty(hub))


@pytest.fixture
def case() -> Consultation:
    return a_case()


@pytest.fixture
def meena(case) -> User:
    return case.requested_by


def switch(case: Consultation) -> str:
    return reverse("consult:centre_phone_in_call", args=[case.uid])


def let_in(case: Consultation) -> bool:
    return Consultation.objects.get(pk=case.pk).lets_phone_in


def test_it_has_a_seat_from_the_patients_yes_until_it_is_taken_back(meena, case):
    account = case.patient.account
    actions.let_phone_in(consultation=case, by=meena)
    assert actions.join_call(pk=case.pk, by=account, page=PHONE).role == Role.PATIENT
    actions.put_phone_out(consultation=case, by=meena)
    with pytest.raises(MoveRefused):
        actions.join_call(pk=case.pk, by=account, page=PHONE)
    said = AuditEvent.objects.filter(action__contains="_phone_", by=meena, patient=case.patient)
    assert [event.action for event in said.order_by("pk")] == [
        "call.let_phone_in",
        "call.put_phone_out",
    ]


def test_she_before_whom_the_patient_sits_notes_the_yes_and_any_colleague_the_no(meena, case):
    sunita = as_staff(a_health_worker(case.facility))
    sunita.post(switch(case), {"may_join": "1"})
    assert not let_in(case)
    as_staff(meena).post(switch(case), {"may_join": "1"})
    case.refresh_from_db()
    assert (case.let_in_by, case.lets_phone_in) == (meena, True)
    sunita.post(switch(case))
    assert not let_in(case)


def test_none_is_let_into_a_talk_at_home_or_in_writing_or_after_the_end(meena, case):
    opd = a_clinic()
    at_home = in_the_room(opd, on_duty(opd))
    written = sent(meena, case.clinic, written=True)
    actions.complete(consultation=case, by=case.doctor.user)
    for one in (at_home, written, case):
        with pytest.raises(MoveRefused):
            actions.let_phone_in(consultation=one, by=meena)
    assert not Consultation.objects.exclude(let_in_at=None).exists()


def test_who_and_when_are_one_pair_and_only_of_a_health_centre(meena, case):
    now, opd = timezone.now(), a_clinic()
    at_home = in_the_room(opd, on_duty(opd))
    for one, fields in [
        (case, {"let_in_at": now}),
        (case, {"let_in_by": meena}),
        (at_home, {"let_in_at": now, "let_in_by": meena}),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            Consultation.objects.filter(pk=one.pk).update(**fields)
    Consultation.objects.filter(pk=case.pk).update(let_in_at=now, let_in_by=meena)


def test_its_page_has_the_call_and_the_camera_only_while_the_patient_wants_it(meena, case):
    phone = as_patient(case.patient.account)
    visit = reverse("consult:visit", args=[case.uid])
    for may_join in (False, True, False):
        answer = phone.get(visit)
        assert (answer.headers["Permissions-Policy"] == CALL_ALLOWED) is may_join
        assert ("data-call" in answer.text) is may_join
        assert "Report and end" not in answer.text
        say_yes = not may_join
        as_staff(meena).post(switch(case), {"may_join": "1"} if say_yes else {})


def test_what_flows_to_and_from_it_does_not_make_the_mode(meena, case):
    """The doctor and the health worker's screen do: a phone is nobody before the doctor."""
    actions.let_phone_in(consultation=case, by=meena)
    people = {"doctor": case.doctor.user, "patient": case.patient.account, "health_worker": meena}
    came = {
        seat: actions.join_call(pk=case.pk, by=by, page=f"{seat.replace('_', '')}page")
        for seat, by in people.items()
    }

    def got(seat: str, other: str) -> Consultation:
        since = timezone.now() - timedelta(minutes=5)
        flow = actions.Flow(other, 40, 50)
        actions.report_flow(came=came[seat], since=since, flows=[flow])
        return Consultation.objects.get(pk=case.pk)

    got("doctor", "patient")
    assert got("patient", "doctor").mode == "text"
    got("doctor", "health_worker")
    assert got("health_worker", "doctor").mode == "video"


def test_it_does_not_end_the_talk(meena, case):
    actions.let_phone_in(consultation=case, by=meena)
    with pytest.raises(MoveRefused):
        actions.report_abuse(consultation=case, by=case.patient.account, words="Rude")


def test_the_call_lets_go_of_it_at_once_and_it_is_heard_no_more(site: Site):
    case = a_case()
    account, visit = case.patient.account, reverse("consult:centre_visit", args=[case.uid])
    with (
        browser_of(case.requested_by, site.urls[-1], staff=True) as worker,
        page(site.urls[0], room(case), case.doctor.user, staff=True) as doctor,
        page(site.urls[-1], room(case), account) as phone,
    ):
        join(doctor, DOCTORS)
        phone.hear("hello", phone=False)
        post(worker, visit, switch(case), may_join="1")
        phone.hear("phone", phone=True)
        say(phone, say="join", page=PHONE, media=MEDIA)
        phone.hear("call", event="in")
        say(phone, **OFFER)
        doctor.hear("call", event="offer", page=PHONE)
        post(worker, visit, switch(case))
        phone.hear("phone", phone=False)
        doctor.hear("call", event="left", seat="patient", page=PHONE)
        say(phone, **OFFER)
        say(phone, say="join", page=PHONE, media=MEDIA)
        hears_nothing_of_a_call(phone, doctor)
        hears_nothing_of_a_call(doctor, phone)
    assert CallEvent.objects.filter(role="patient").values_list("what", flat=True)[1] == "left"
