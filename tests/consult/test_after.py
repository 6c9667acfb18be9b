"""After the talk: what was given out, how the patient is, what came back, and what the family sees."""

from datetime import timedelta

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Message
from consult import actions
from consult.actions import Line
from consult.models import Consultation, Dispensing, FollowUp
from consult.views.centre.patients import FOUND
from queues.models import MoveRefused, Presence, Token
from tests.factories import (
    PARACETAMOL,
    a_health_worker,
    a_patient,
    as_patient,
    as_staff,
    at_centre,
    before_the_screen,
    called,
    on_duty,
    prescribed,
    sent,
    the_day,
)

pytestmark = pytest.mark.django_db
ZINC = Line("Zinc", "tablet", "20 mg", "1", "od", 14)
TODAY = timezone.localdate


@pytest.fixture
def rao(hub):
    return on_duty(hub)


@pytest.fixture
def done(meena, hub, rao) -> Consultation:
    """A completed case with two medicines and a follow-up for today."""
    case = before_the_screen(meena, hub, rao)
    prescribed(case, PARACETAMOL, ZINC)
    actions.save_note(consultation=case, by=rao.user, diagnosis="Viral fever", follow_up_on=TODAY())
    return actions.complete(consultation=case, by=rao.user)


def path(name: str, row) -> str:
    return reverse(f"consult:{name}", args=[row.uid])


def fresh(row):
    return type(row).objects.get(pk=row.pk)


# --- what was given out -------------------------------------------------------------------------
def dispense(user, case, **fields):
    return as_staff(user).post(path("centre_dispense", case), fields, follow=True)


def given() -> dict[str, tuple]:
    rows = Dispensing.objects.select_related("line", "dispensed_by")
    return {row.line.generic: (row.given, row.words, row.dispensed_by) for row in rows}


def test_it_is_noted_per_medicine_and_noting_it_again_replaces(meena, done):
    answer = dispense(meena, done, given_1="given", given_2="partly", words_2="7 of 14")
    assert "Noted what was given." in answer.text
    assert given() == {"Paracetamol": ("given", "", meena), "Zinc": ("partly", "7 of 14", meena)}
    sunita = a_health_worker(done.facility)
    dispense(sunita, done, given_1="", given_2="given")
    assert given() == {"Paracetamol": ("given", "", meena), "Zinc": ("given", "", sunita)}
    assert {row.facility for row in Dispensing.objects.all()} == {done.facility}


def test_what_cannot_be_chosen_changes_nothing(meena, done):
    answer = dispense(meena, done, given_1="sold", given_2="given")
    assert "Nothing is noted yet." in answer.text
    assert given() == {}


def test_nothing_is_given_out_on_a_replaced_prescription(meena, hub, rao):
    case = before_the_screen(meena, hub, rao)
    old = prescribed(case)
    actions.revise_prescription(consultation=case, by=rao.user)
    actions.issue_prescription(consultation=case, doctor=rao)
    with pytest.raises(MoveRefused):
        actions.dispense(
            prescription=old,
            facility=case.facility,
            given={old.lines.get(): ("given", "")},
            by=meena,
        )
    assert given() == {}
    dispense(meena, case, given_1="given")
    assert Dispensing.objects.get().line.prescription != old


def test_the_print_page_is_the_prescription_in_force_and_is_written_down(meena, hub, rao, done):
    page = as_staff(meena).get(path("centre_print", done)).text
    for words in ["Paracetamol", "Zinc", "Asha Menon", rao.registration_number, "108"]:
        assert words in page
    without = sent(meena, hub)
    assert as_staff(meena).get(path("centre_print", without)).status_code == 404
    assert as_staff(meena).post(path("centre_dispense", without)).status_code == 404


def test_the_print_page_says_when_to_come_back(meena, hub, rao):
    case = before_the_screen(meena, hub, rao)
    day = TODAY() + timedelta(days=7)
    words = {"red_flags": "Breathing becomes hard", "follow_up_on": day}
    actions.save_note(consultation=case, by=rao.user, **words)
    prescribed(case)
    page = as_staff(meena).get(path("centre_print", case)).text
    assert "Come back at once if: Breathing becomes hard" in page
    assert date_format(day) in page


# --- the follow-up ------------------------------------------------------------------------------
def test_a_follow_up_stands_on_the_desk_until_it_is_closed_with_an_outcome(meena, done):
    task = FollowUp.objects.get()
    assert the_day(done.facility).follow_ups == [task]
    unsaid = as_staff(meena).post(path("close_follow_up", task), {}, follow=True)
    assert "Say how the patient is." in unsaid.text
    assert fresh(task).closed_at is None
    as_staff(meena).post(
        path("close_follow_up", task), {"outcome": "better", "outcome_words": "Eats again"}
    )
    task = fresh(task)
    assert (task.outcome, task.outcome_words, task.closed_by) == ("better", "Eats again", meena)
    assert the_day(done.facility).follow_ups == []


def test_it_is_closed_once(meena, done):
    task = FollowUp.objects.get()
    actions.close_follow_up(follow_up=task, by=meena, outcome="well")
    sunita = a_health_worker(done.facility)
    late = as_staff(sunita).post(path("close_follow_up", task), {"outcome": "worse"}, follow=True)
    assert "A colleague has closed it already." in late.text
    assert (fresh(task).outcome, fresh(task).closed_by) == ("well", meena)


@pytest.mark.parametrize(
    ("days", "shown", "overdue"), [(-1, True, True), (3, True, False), (4, False, False)]
)
def test_due_and_overdue_ones_are_shown_and_later_ones_not_yet(meena, done, days, shown, overdue):
    task = FollowUp.objects.get()
    FollowUp.objects.update(due_on=TODAY() + timedelta(days=days))
    assert (the_day(done.facility).follow_ups == [task]) is shown
    assert ("overdue" in as_staff(meena).get("/centre/").text) is overdue


def test_a_follow_up_asks_the_doctor_again_in_a_case_that_knows_it(meena, hub, done):
    task = FollowUp.objects.get()
    as_staff(meena).post(path("centre_open", done.patient), {"follow_up": str(task.uid)})
    assert Consultation.objects.get(state="draft").follow_up_of == task
    for nonsense in ("x", str(done.uid)):
        again = as_staff(meena).post(path("centre_open", done.patient), {"follow_up": nonsense})
        assert again.status_code == 404


def test_a_follow_up_is_seen_before_a_new_case_is_begun(meena, done):
    key = signing.dumps([str(done.patient.uid), done.facility.pk], salt=FOUND)
    there = as_staff(meena).post(reverse("consult:centre_here"), {"found": key, "case": "1"})
    assert there.url == path("centre_patient", done.patient)
    assert "Ask the doctor again" in as_staff(meena).get(there.url).text


# --- what came back -----------------------------------------------------------------------------
@pytest.fixture
def returned(meena, hub, rao) -> Consultation:
    sent(meena, hub)
    return actions.return_consultation(
        consultation=called(hub, rao), by=rao.user, reason="patient_absent", words="Nobody there"
    )


def test_what_came_back_is_first_and_says_why(meena, returned):
    page = as_staff(meena).get("/centre/").text
    assert "The patient was not there" in page
    assert the_day(returned.facility).came_back == [returned]
    assert "Nobody there" in as_staff(meena).get(path("centre_visit", returned)).text


def test_it_goes_when_it_is_dealt_with_once(meena, returned):
    as_staff(meena).post(path("centre_settle", returned))
    assert the_day(returned.facility).came_back == []
    settled = fresh(returned)
    assert settled.settled_by == meena
    with pytest.raises(MoveRefused):
        actions.settle(consultation=settled, by=a_health_worker(returned.facility))
    assert fresh(returned).settled_by == meena


def test_it_goes_when_it_is_sent_again(meena, hub, returned):
    draft = actions.reopen_case(earlier=returned, by=meena)
    send = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on"}
    as_staff(meena).post(path("centre_send", draft), send)
    assert (fresh(draft).state, the_day(returned.facility).came_back) == ("requested", [])
    page = as_staff(meena).get(path("centre_visit", returned)).text
    assert path("centre_visit", draft) in page


def test_what_did_not_come_back_is_not_settled(meena, hub, rao):
    case = sent(meena, hub)
    as_staff(meena).post(path("centre_settle", case))
    assert fresh(case).settled_at is None


# --- what the family sees on its own phone ------------------------------------------------------
def test_whoever_signs_in_on_that_number_sees_what_the_centre_did(done):
    family = as_patient(done.patient.account)
    assert path("visit", done) in family.get("/consultations/").text
    page = family.get(path("visit", done)).text
    for words in ["The consultation is complete", "Paracetamol"]:
        assert words in page


def test_they_see_no_draft_of_the_centre_neither_open_nor_thrown_away(meena, hub):
    draft = at_centre(meena)
    family = as_patient(draft.patient.account)
    assert family.get(path("visit", draft)).status_code == 404
    assert path("visit", draft) not in family.get("/consultations/").text
    actions.discard_draft(consultation=draft, by=meena)
    assert path("visit", draft) not in family.get("/consultations/").text


def test_while_it_waits_they_read_where_it_is_and_have_no_buttons(meena, hub, rao):
    case = sent(meena, hub)
    family = as_patient(case.patient.account)
    page = family.get(path("visit", case)).text
    assert "Your health centre has asked a doctor" in page
    for name in ("leave", "answer"):
        assert path(name, case) not in page
        assert family.post(path(name, case)).status_code == 404
    called(hub, rao)
    assert family.post(path("answer", case)).status_code == 404
    assert fresh(case).state == "requested"


def test_the_prescription_comes_by_sms_and_nothing_about_the_line(meena, hub, rao):
    first, second = sent(meena, hub, a_patient(age=20)), sent(meena, hub)
    Presence.objects.all().delete()
    actions.sweep_lines()  # both are near their turn
    Presence.renew(Token.objects.values_list("pk", flat=True))
    actions.pass_over(consultation=called(hub, rao), by=rao.user)
    actions.leave(consultation=fresh(second), by=meena)
    assert not Message.objects.exists()
    case = actions.begin(consultation=called(hub, rao), by=meena)
    assert case == first
    prescribed(case)
    message = Message.objects.get()
    assert (message.template.key, message.to) == ("prescription", case.patient.account.phone)


def test_the_family_of_a_returned_case_is_sent_to_the_health_centre_not_into_another_line(returned):
    page = as_patient(returned.patient.account).get(path("visit", returned)).text
    assert f"{returned.facility.local_name} knows and takes it on." in page
    assert "Book again" not in page
