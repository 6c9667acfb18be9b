"""The doctor's desk: who may open it, what it shows, and the call."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from consult.models import Consultation
from queues.actions import call_next, pass_over, pause_duty
from queues.models import Token
from tests.factories import (
    a_clinic,
    a_doctor,
    a_patient,
    a_user,
    as_patient,
    as_staff,
    called,
    gone,
    in_the_room,
    on_duty,
    queries_of,
    waiting,
)

pytestmark = pytest.mark.django_db

DESK, OWN, CALL = "/doctor/", "/doctor/own/", "/doctor/call/"
BUTTONS = ["start_duty", "pause_duty", "resume_duty", "end_duty"]


def call(desk, clinic) -> list[str]:
    """Press the button; what the desk then says."""
    page = desk.post(CALL, {"clinic": str(clinic.uid)}, follow=True)
    assert page.redirect_chain == [(DESK, 302)]
    return [str(message) for message in page.context["messages"]]


def call_in_place(desk, clinic) -> tuple[list[str], str]:
    """As the page's script presses it: what is said, and what comes into the page."""
    answer = desk.post(CALL, {"clinic": str(clinic.uid)}, headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]], answer.content.decode()


# --- who may ------------------------------------------------------------------------------------
def test_it_is_for_a_doctor_with_both_factors_only():
    rao, nurse = a_doctor(), a_doctor()
    nurse_at_her_desk = as_staff(nurse.user)
    nurse.delete()
    password_only = as_staff(rao.user)
    session = password_only.session
    del session["otp_device_id"]
    session.save()
    for path in (DESK, OWN):
        for visitor, sent_to in [
            (as_patient(a_user()), "/staff/sign-in/"),
            (as_patient(rao.user), "/staff/sign-in/"),
            (password_only, "/staff/second-factor/"),
        ]:
            response = visitor.get(path)
            assert (response.status_code, response.url.split("?")[0]) == (302, sent_to)
        assert nurse_at_her_desk.get(path).status_code == 403
    assert nurse_at_her_desk.post(CALL).status_code == 403


def test_it_takes_each_method_only_where_it_belongs():
    desk = as_staff(a_doctor().user)
    assert [desk.post(path).status_code for path in (DESK, OWN)] == [405, 405]
    buttons = [CALL, *(reverse(f"queue:{name}") for name in BUTTONS)]
    assert {desk.get(path).status_code for path in buttons} == {405}


# --- what it shows ------------------------------------------------------------------------------
def test_without_duty_it_offers_the_clinics_of_the_speciality():
    clinic, _off = a_clinic(), a_clinic(is_active=False)
    page = as_staff(a_doctor().user).get(DESK)
    assert page.context["may_start"] == [clinic]
    assert page.context["lines"] == []
    assert "You are not on duty." in page.content.decode()


def test_it_shows_the_line_in_the_order_of_the_calls():
    clinic = a_clinic()
    rao = on_duty(clinic)
    desk = as_staff(rao.user)
    for age in (70, 71, 72):
        in_the_room(clinic, rao, a_patient(age=age))
        Token.objects.held().get().finish()
    young = [waiting(clinic).token for _ in range(2)]
    old = waiting(clinic, a_patient(age=80)).token
    (line,) = desk.get(DESK).context["lines"]
    shown = [row.number for row in line.rows]
    assert shown == [young[0].number, old.number, young[1].number]
    for number in shown:
        token = call_next(clinic=clinic, doctor=rao)
        assert token.number == number
        token.answer()
        token.finish()


def test_a_row_says_who_waits_with_what_how_long_and_whether_they_are_here():
    clinic = a_clinic()
    rao = on_duty(clinic)
    asha = waiting(clinic, a_patient(name="Asha Menon", age=64), complaint="Chest feels tight")
    ravi = waiting(clinic, a_patient(name="Ravi Das"))
    gone(ravi)
    Token.objects.filter(pk=asha.token_id).update(issued_at=timezone.now() - timedelta(minutes=25))
    page = as_staff(rao.user).get(DESK)
    (line,) = page.context["lines"]
    assert [(row.minutes, row.is_present) for row in line.rows] == [(25, True), (0, False)]
    assert (line.waiting, line.present) == (2, 1)
    for words in ["Asha Menon", "64, Female", "Chest feels tight", "25 min", "Ravi Das"]:
        assert words in page.content.decode()


def test_it_shows_the_first_sixty_and_counts_all():
    clinic = a_clinic()
    rao = on_duty(clinic)
    asha = a_patient()
    tokens = Token.objects.bulk_create(
        Token(
            clinic=clinic,
            day=timezone.localdate(),
            number=n,
            patient=a_patient(asha.account),
        )
        for n in range(1, 63)
    )
    Consultation.objects.bulk_create(
        Consultation(
            patient=token.patient,
            clinic=clinic,
            token=token,
            state="requested",
            requested_at=timezone.now(),
            complaint="Fever",
            since="days",
        )
        for token in tokens
    )
    (line,) = as_staff(rao.user).get(DESK).context["lines"]
    assert [row.number for row in line.rows] == list(range(1, 61))
    assert line.waiting == 62


def test_it_shows_who_was_called_until_they_are_done():
    clinic = a_clinic()
    rao = on_duty(clinic)
    desk = as_staff(rao.user)
    assert desk.get(OWN).context["own"].held is None
    waiting(clinic)
    consultation = called(clinic, rao)
    page = desk.get(OWN)
    assert page.context["own"].held == consultation.token
    assert "Called, not answered yet" in page.content.decode()
    consultation.token.answer()
    assert "In the room" in desk.get(OWN).content.decode()
    consultation.token.finish()
    assert desk.get(OWN).context["own"].held is None


def test_another_doctors_patient_is_not_shown_as_mine():
    clinic = a_clinic()
    rao, das = on_duty(clinic), on_duty(clinic)
    waiting(clinic)
    called(clinic, das)
    assert as_staff(rao.user).get(DESK).context["own"].held is None


def test_looking_at_the_line_is_written_down():
    rao = a_doctor()
    as_staff(rao.user).get(DESK)
    assert AuditEvent.objects.get(action="desk.read").by == rao.user


def test_it_needs_the_same_queries_for_one_waiting_patient_as_for_three():
    clinic = a_clinic()
    rao = on_duty(clinic)
    desk = as_staff(rao.user)
    waiting(clinic)
    with_one = [queries_of(desk, path) for path in (DESK, OWN)]
    waiting(clinic)
    waiting(clinic)
    assert [queries_of(desk, path) for path in (DESK, OWN)] == with_one


# --- the call -----------------------------------------------------------------------------------
def test_the_button_calls_the_next_present_patient():
    clinic = a_clinic()
    rao = on_duty(clinic)
    absent, present = waiting(clinic), waiting(clinic)
    gone(absent)
    assert call(as_staff(rao.user), clinic) == []
    present.refresh_from_db()
    assert (present.token.state, present.token.doctor, present.doctor) == ("called", rao, rao)


def test_a_call_is_written_down_with_whom_it_was_for():
    clinic = a_clinic()
    rao = on_duty(clinic)
    case = waiting(clinic)
    call(as_staff(rao.user), clinic)
    call(as_staff(rao.user), clinic)  # brings nobody else
    (noted,) = AuditEvent.objects.filter(action="consultation.call")
    assert (noted.by, noted.patient) == (rao.user, case.patient)
    assert noted.target == f"consultation:{case.uid}"


def test_it_says_why_nobody_was_called():
    clinic, other = a_clinic(), a_clinic()
    rao = on_duty(clinic)
    desk = as_staff(rao.user)
    assert call(desk, other) == ["You are not on duty in this clinic, or you are paused."]
    assert call(desk, clinic) == ["Nobody waits."]
    absent = waiting(clinic)
    gone(absent)
    assert call(desk, clinic) == [
        "Nobody is on the page now. 1 person waits and is away; they keep their place."
    ]
    pause_duty(doctor=rao)
    assert call(desk, clinic) == ["You are not on duty in this clinic, or you are paused."]
    assert Token.objects.waiting().count() == 1


def test_a_double_click_calls_one_patient():
    clinic = a_clinic()
    rao = on_duty(clinic)
    waiting(clinic)
    waiting(clinic)
    desk = as_staff(rao.user)
    assert call(desk, clinic) == []
    assert call(desk, clinic) == ["You have a patient already."]
    assert Token.objects.held().count() == 1


def test_a_doctor_with_a_patient_in_one_clinic_calls_none_in_another():
    clinic, other = a_clinic(), a_clinic()
    rao = on_duty(clinic)
    on_duty(other, rao)
    in_the_room(clinic, rao)
    waiting(other)
    assert call(as_staff(rao.user), other) == ["You have a patient already."]
    assert Token.objects.waiting().count() == 1


# --- not waiting longer -------------------------------------------------------------------------
def test_the_doctor_waits_no_longer_and_calls_the_next_one():
    clinic = a_clinic()
    rao = on_duty(clinic)
    first, second = waiting(clinic), waiting(clinic)
    desk = as_staff(rao.user)
    call(desk, clinic)
    response = desk.post(reverse("consult:pass_over", args=[first.uid]))
    assert (response.status_code, response.url) == (302, DESK)
    first.refresh_from_db()
    assert (first.token.state, first.token.passes, first.doctor) == ("waiting", 1, None)
    call(desk, clinic)
    assert Token.objects.held().get() == second.token


def test_who_has_come_in_meanwhile_is_not_passed_over():
    clinic = a_clinic()
    rao = on_duty(clinic)
    consultation = in_the_room(clinic, rao)
    page = as_staff(rao.user).post(
        reverse("consult:pass_over", args=[consultation.uid]), follow=True
    )
    assert "The patient has just come in." in page.content.decode()
    assert Token.objects.get().state == "serving"


def test_a_patient_passed_over_is_no_longer_this_doctors_to_read():
    clinic = a_clinic()
    rao = on_duty(clinic)
    consultation = waiting(clinic)
    desk = as_staff(rao.user)
    call(desk, clinic)
    room = reverse("consult:doctors_room", args=[consultation.uid])
    assert desk.get(room).status_code == 200
    desk.post(reverse("consult:pass_over", args=[consultation.uid]))
    assert desk.get(room).status_code == 404
    pass_over(token=call_next(clinic=clinic, doctor=rao))
    assert Token.objects.get().state == "no_show"


# --- a call in place ----------------------------------------------------------------------------
def test_a_call_that_brought_nobody_costs_a_sentence_and_no_page():
    clinic = a_clinic()
    rao = on_duty(clinic)
    desk = as_staff(rao.user)
    gone(waiting(clinic, a_patient(name="Ravi Das")))
    said, part = call_in_place(desk, clinic)
    assert said == ["Nobody is on the page now. 1 person waits and is away; they keep their place."]
    assert said[0] in part
    assert "data-own" not in part
    assert "Ravi Das" not in part
    pause_duty(doctor=rao)
    said, part = call_in_place(desk, clinic)
    assert said == ["You are not on duty in this clinic, or you are paused."]
    assert list(desk.get(DESK).context["messages"]) == []  # said once


def test_a_call_shows_in_place_whom_it_brought_and_a_second_click_the_same():
    clinic = a_clinic()
    rao = on_duty(clinic)
    desk = as_staff(rao.user)
    for name in ("Asha Menon", "Ravi Das"):
        waiting(clinic, a_patient(name=name))
    said, part = call_in_place(desk, clinic)
    held = desk.get(OWN).context["own"]
    assert said == []
    assert held.held.patient.name == "Asha Menon"
    assert f'data-own="{held.version}"' in part
    assert "Asha Menon" in part
    said, part = call_in_place(desk, clinic)
    assert said == ["You have a patient already."]
    assert "Asha Menon" in part
    assert Token.objects.held().count() == 1


def test_a_call_in_place_is_for_whom_the_page_is_for():
    clinic = a_clinic()
    script = {"X-Requested-With": "fetch"}
    stranger = as_patient(a_user()).post(CALL, {"clinic": str(clinic.uid)}, headers=script)
    assert stranger.status_code == 302
    desk = as_staff(a_doctor().user)
    for odd in ("", "x", str(a_user().pk), "00000000-0000-4000-8000-000000000001"):
        assert desk.post(CALL, {"clinic": odd}, headers=script).status_code == 404
