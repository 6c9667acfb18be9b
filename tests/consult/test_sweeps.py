"""What time does: calls not answered, turns that come near, days that end, Redis that was away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.actions import sweep_messages
from accounts.models import Message, SmsTemplate
from accounts.sms import MemoryBackend
from consult import actions
from consult.models import Consultation
from consult.tasks import sweep_lines
from queues.models import ClinicDay, Presence, Token
from tests.at_once import at_once, behind
from tests.factories import (
    a_clinic,
    a_draft,
    a_patient,
    as_patient,
    called,
    gone,
    on_duty,
    prescribed,
    waiting,
)
from tests.running import Site, browser_of, free_port, post

pytestmark = pytest.mark.django_db
SOME_TIME_AGO = timedelta(minutes=10)


@pytest.fixture
def clinic():
    return a_clinic(call_window=120, names={"hi": "केरल ओपीडी"})


@pytest.fixture
def rao(clinic):
    return on_duty(clinic)


def rings_too_long(consultation: Consultation) -> None:
    rang = timezone.now() - SOME_TIME_AGO
    Token.objects.filter(consultation=consultation).update(called_at=rang)


def told(consultation: Consultation) -> list[str]:
    """The keys of the SMS after the first, which gave the token."""
    sent = Message.objects.filter(to=consultation.patient.account.phone).order_by("pk")
    return list(sent.values_list("template__key", flat=True))[1:]


def as_it_is(consultation: Consultation) -> tuple[str, str, str]:
    now = Consultation.objects.select_related("token").get(pk=consultation.pk)
    return now.state, now.end_reason, now.token.state


# --- calls --------------------------------------------------------------------------------------
def test_a_call_that_rings_is_left_alone(clinic, rao):
    waiting(clinic)
    consultation = called(clinic, rao)
    sweep_lines()
    assert as_it_is(consultation) == ("requested", "", "called")
    assert told(consultation) == []


def test_the_first_missed_call_keeps_the_place_and_the_second_ends_the_visit(clinic, rao):
    waiting(clinic)
    consultation = called(clinic, rao)
    rings_too_long(consultation)
    sweep_lines()
    sweep_lines()
    assert as_it_is(consultation) == ("requested", "", "waiting")
    assert told(consultation) == ["missed"]
    assert Consultation.objects.get().doctor is None
    assert called(clinic, rao) == consultation
    rings_too_long(consultation)
    sweep_lines()
    sweep_lines()
    assert as_it_is(consultation) == ("cancelled", "no_show", "no_show")
    assert told(consultation) == ["missed", "no_show"]
    page = as_patient(consultation.patient.account).get(
        reverse("consult:visit", args=[consultation.uid])
    )
    assert "Two calls were not answered" in page.content.decode()


def test_after_a_missed_call_the_doctor_can_call_the_next_one(clinic, rao):
    waiting(clinic)
    late = called(clinic, rao)
    following = waiting(clinic)
    rings_too_long(late)
    sweep_lines()
    assert called(clinic, rao) == following


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_pass_nobody_twice():
    clinic = a_clinic()
    consultations = []
    for _patient in range(3):
        doctor = on_duty(clinic)
        waiting(clinic)
        consultations.append(called(clinic, doctor))
        rings_too_long(consultations[-1])
    absent = waiting(clinic)
    gone(absent)
    at_once(3, lambda _n: sweep_lines())
    assert [as_it_is(one) for one in consultations] == [("requested", "", "waiting")] * 3
    assert [told(one) for one in consultations] == [["missed"]] * 3
    assert told(absent) == ["near"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_sweep_holds_no_line_while_it_waits_for_a_patient_of_another():
    """Somebody who moves that patient into the first line would wait for the sweep, and it for them."""
    here, there = a_clinic(), a_clinic()
    late = []
    for clinic in (there, here):
        doctor = on_duty(clinic)
        waiting(clinic)
        late.append(called(clinic, doctor))
        rings_too_long(late[-1])
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Token.objects.select_for_update().get(pk=late[1].token.pk)
            sweep = behind(thread, sweep_lines)
            assert ClinicDay.next_number(there, timezone.localdate()) == 2
        sweep.result()
    assert [as_it_is(one) for one in late] == [("requested", "", "waiting")] * 2


# --- turns that come near -----------------------------------------------------------------------
def test_who_closed_the_page_is_told_once_when_the_turn_is_near(rao, clinic):
    clinic.near_ahead = 1
    clinic.save()
    first, second, third = (waiting(clinic, a_patient(language="hi")) for _ in range(3))
    sweep_lines()
    assert told(second) == []
    for consultation in (second, third):
        gone(consultation)
    sweep_lines()
    sweep_lines()
    assert [told(one) for one in (first, second, third)] == [[], ["near"], []]
    text = Message.objects.get(template__key="near").text
    assert "केरल ओपीडी" in text
    assert "टोकन 2" in text
    called(clinic, rao)
    sweep_lines()
    assert [told(one) for one in (second, third)] == [["near"], ["near"]]


# --- days that end ------------------------------------------------------------------------------
def test_when_the_day_is_over_the_visit_ends_and_the_patient_is_told(rao, clinic):
    consultation = waiting(clinic)
    clinic.hours.all().delete()
    sweep_lines()
    assert as_it_is(consultation) == ("requested", "", "waiting")
    Token.objects.update(day=timezone.localdate() - timedelta(days=1))
    Presence.objects.update(until=timezone.now() + SOME_TIME_AGO)
    sweep_lines()
    sweep_lines()
    assert as_it_is(consultation) == ("cancelled", "day_over", "expired")
    assert told(consultation) == ["day_over"]
    assert a_draft(clinic, consultation.patient) != consultation


def test_a_place_and_the_visit_that_waits_in_it_end_together_or_neither(rao, clinic):
    consultation = waiting(clinic)
    Token.objects.update(day=timezone.localdate() - timedelta(days=2))
    SmsTemplate.objects.filter(key="day_over").delete()
    with pytest.raises(SmsTemplate.DoesNotExist):
        sweep_lines()
    assert as_it_is(consultation) == ("requested", "", "waiting")


def test_a_sweep_for_which_nothing_is_due_asks_once(rao, clinic, django_assert_num_queries):
    waiting(clinic)
    sweep_lines()  # from now on calls begin to look at the first number
    with django_assert_num_queries(1):
        sweep_lines()


def test_calls_begin_to_look_where_the_line_begins_by_now(rao, clinic):
    waiting(clinic)
    waiting(clinic)
    called(clinic, rao)
    sweep_lines()
    assert ClinicDay.objects.get(clinic=clinic).head == 2


def test_who_is_with_the_doctor_when_the_day_ends_stays_there(rao, clinic):
    waiting(clinic)
    consultation = called(clinic, rao)
    actions.begin(consultation=consultation, by=consultation.patient.account)
    clinic.hours.all().delete()
    Token.objects.update(day=timezone.localdate() - timedelta(days=1))
    sweep_lines()
    assert as_it_is(consultation) == ("in_progress", "", "serving")


# --- Redis away ---------------------------------------------------------------------------------
@pytest.fixture
def without_redis(site: Site) -> Iterator[str]:
    """One more server of the site, for which nobody answers at REDIS_URL."""
    nobody = free_port()
    process = site.start_server(says="degraded", REDIS_URL=f"redis://127.0.0.1:{nobody}/0")
    yield site.urls.pop()
    site.stop(process)


def test_with_redis_away_the_whole_visit_goes_on_and_what_was_due_is_sent_later(
    site: Site, without_redis: str
):
    clinic = a_clinic()
    rao = on_duty(clinic)
    draft = a_draft(clinic)
    Message.objects.all().delete()
    confirm = reverse("consult:confirm", args=[draft.uid])
    visit = reverse("consult:visit", args=[draft.uid])
    with (
        browser_of(draft.patient.account, without_redis) as patient,
        browser_of(rao.user, without_redis, staff=True) as doctor,
    ):
        assert post(patient, confirm, confirm, consent="on").status_code == 302
        assert patient.get(visit).status_code == 200
        assert post(doctor, "/doctor/", "/doctor/call/", clinic=str(clinic.uid)).status_code == 302
        assert post(patient, visit, f"{visit}answer/").status_code == 302
    consultation = Consultation.objects.get()
    assert consultation.state == "in_progress"
    message = Message.objects.get()
    phone = draft.patient.account.phone
    sweep_messages()
    sent = [text for to, text in MemoryBackend.sent if to == phone] + site.gateway.texts_to(phone)
    assert sent == [message.text]
    message.refresh_from_db()
    assert message.state == "sent"
    issued = prescribed(consultation)
    actions.sweep_prescriptions()
    issued.refresh_from_db()
    assert issued.pdf.name != ""
