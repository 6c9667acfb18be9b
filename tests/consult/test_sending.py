"""A case on its way: sent once, answered in writing, moved, taken back, and sent again as it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Facility, Message
from accounts.phone import spaced
from consult import actions
from consult.actions.booking import request_consultation
from consult.models import Consent, Consultation
from queues.actions import (
    AlreadyHolding,
    AlreadyWaiting,
    NobodyPresent,
    NoToken,
    NotOnDuty,
    keep_apart,
)
from queues.models import ClinicDay, MoveRefused, Token
from tests.at_once import at_once, behind
from tests.factories import (
    SAID,
    a_doctor,
    a_draft,
    a_health_worker,
    a_hub,
    a_patient,
    as_staff,
    at_centre,
    called,
    centre_of,
    on_duty,
    send,
    sent,
    the_day,
)

many_at_once = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.django_db


@pytest.fixture
def rao(hub):
    return on_duty(hub)


@pytest.fixture
def other(meena, hub, rao):
    """A second hub of the same speciality, with a doctor on duty."""
    clinic = a_hub(centre_of(meena), name="Narkatia CHC")
    on_duty(clinic)
    return clinic


def path(name: str, case: Consultation) -> str:
    return reverse(f"consult:{name}", args=[case.uid])


def fresh(case: Consultation) -> Consultation:
    return Consultation.objects.select_related("token", "clinic").get(pk=case.pk)


def to(clinic, **how) -> actions.Sending:
    return actions.Sending(**{"clinic": clinic, "proposed": None, "said": SAID, **how})


def outcome(work, *refusals):
    """What happened, by name."""
    try:
        work()
    except refusals as refused:
        return type(refused).__name__
    return "done"


# --- sent once ----------------------------------------------------------------------------------
def test_a_second_click_is_told_of_the_first(meena, hub, rao):
    draft = at_centre(meena)
    send(draft, hub, meena)
    with pytest.raises(actions.AlreadySent) as refused:
        send(draft, hub, meena)
    assert refused.value.consultation == draft
    assert Token.objects.count() == Consent.objects.count() == 1


def test_a_second_case_of_the_same_patient_is_kept_and_the_page_leads_to_the_first(meena, hub, rao):
    first = sent(meena, hub)
    second = at_centre(meena, first.patient, complaint="Rash on both arms")
    form = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on"}
    for way in ({"send": "1"}, {"in_writing": "1"}):
        answer = as_staff(meena).post(path("centre_send", second), form | way, follow=True)
        assert answer.redirect_chain == [(path("centre_visit", first), 302)]
        assert "is on the way already, to Harinagar PHC. This draft is kept." in answer.text
    assert (fresh(second).state, fresh(second).complaint) == ("draft", "Rash on both arms")
    assert Token.objects.count() == ClinicDay.objects.get().last_number == 1


# --- whether to be phoned -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("chosen", "button", "is_told"),
    [
        ("", "did not agree to be phoned", False),
        ("patient", "Phone the patient", True),
        ("centre", "Phone the health centre", True),
    ],
)
def test_the_health_worker_asks_at_whose_number_the_doctor_may_phone(
    meena, hub, rao, chosen: str, button: str, is_told: bool
):
    Facility.objects.filter(pk=centre_of(meena).pk).update(phone="+916254222333")
    draft = at_centre(meena)
    numbers = {"patient": draft.patient.account.phone, "centre": "+916254222333"}
    worker, doctor = as_staff(meena), as_staff(rao.user)
    shown = worker.get(path("centre_send", draft)).text
    assert all(spaced(number) in shown for number in numbers.values())
    form = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on"}
    worker.post(path("centre_send", draft), form | {"send": "1", "phone": chosen})
    actions.begin(consultation=called(hub, rao), by=meena)
    room = doctor.get(path("doctors_room", draft)).text
    assert button in room
    assert not any(number in room or spaced(number) in room for number in numbers.values())
    answer = doctor.post(path("phone", draft), headers={"Accept": "application/json"})
    assert answer.status_code == (200 if is_told else 409)
    assert answer.json().get("phone") == numbers.get(chosen)


def test_a_number_that_the_centre_does_not_have_is_not_offered_and_not_taken(meena, hub, rao):
    draft = at_centre(meena)
    worker = as_staff(meena)
    assert 'value="centre"' not in worker.get(path("centre_send", draft)).text
    form = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on"}
    answer = worker.post(path("centre_send", draft), form | {"send": "1", "phone": "centre"})
    assert (answer.status_code, fresh(draft).state) == (422, "draft")


def test_who_waits_in_that_clinic_from_home_is_said(meena, hub, rao):
    hub.takes_opd = True
    hub.save()
    home = a_draft(hub)
    request_consultation(consultation=home, clinic=hub, by=home.patient.account, language="en")
    draft = at_centre(meena, home.patient)
    with pytest.raises(AlreadyWaiting):
        send(draft, hub, meena)
    form = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on"}
    answer = as_staff(meena).post(path("centre_send", draft), form, follow=True)
    assert "The patient waits in that clinic already." in answer.text
    assert fresh(draft).state == "draft"


@many_at_once
def test_two_workers_who_send_the_same_draft_at_once_send_it_once(meena, hub, rao):
    draft = at_centre(meena)
    workers = [meena, *(a_health_worker(draft.facility) for _ in range(3))]

    def click(number: int) -> str:
        return outcome(lambda: send(draft, hub, workers[number]), actions.AlreadySent)

    assert sorted(at_once(4, click)) == ["AlreadySent"] * 3 + ["done"]
    assert [token.number for token in Token.objects.all()] == [1]
    assert Consent.objects.get().consultation == draft


@many_at_once
@pytest.mark.parametrize("is_written", [False, True])
def test_two_workers_with_a_case_each_have_one_open_and_one_kept(
    meena, hub, rao, other, is_written
):
    """The second one's case was begun before the first one's was sent, from an earlier return."""
    first = sent(meena, hub)
    actions.return_consultation(
        consultation=called(hub, rao), by=rao.user, reason="other", words="Once more", clinic=other
    )
    draft = at_centre(meena, first.patient, complaint="Rash on both arms")

    def click(number: int) -> str:
        if number:
            return outcome(
                lambda: send(draft, hub, meena, is_written=is_written), actions.AlreadySent
            )
        return outcome(
            lambda: actions.send_again(earlier=first, sending=to(other), by=meena),
            actions.AlreadySent,
            MoveRefused,
        )

    assert sorted(at_once(2, click)) in (["MoveRefused", "done"], ["AlreadySent", "done"])
    assert Consultation.objects.open().filter(patient=first.patient).count() == 1
    assert Consultation.objects.filter(complaint="Rash on both arms").count() == 1


# --- in writing ---------------------------------------------------------------------------------
def test_a_written_case_has_no_place_and_is_on_the_pile_of_those_on_duty(meena, hub, rao):
    case = sent(meena, hub, written=True)
    assert (case.token, case.is_written, case.state) == (None, True, "requested")
    assert case.patient.name in as_staff(rao.user).get("/doctor/asked/").text
    elsewhere = on_duty(a_hub(case.facility), a_doctor())
    assert case.patient.name not in as_staff(elsewhere.user).get("/doctor/asked/").text
    with pytest.raises(NobodyPresent):
        called(hub, rao)
    assert as_staff(elsewhere.user).post(path("take_written", case)).status_code == 404


def test_it_is_sent_in_writing_where_nobody_is_on_duty(meena, hub):
    assert sent(meena, hub, written=True).state == "requested"
    with pytest.raises(NoToken):
        sent(meena, hub)


def test_a_doctor_takes_answers_and_ends_a_written_case(meena, hub, rao):
    case = sent(meena, hub, written=True)
    answer = as_staff(rao.user).post(path("take_written", case))
    assert answer.url == path("doctors_room", case)
    actions.complete(consultation=fresh(case), by=rao.user)
    assert (fresh(case).state, fresh(case).doctor) == ("completed", rao)


def test_only_a_doctor_on_duty_takes_it(meena, hub, rao):
    case = sent(meena, hub, written=True)
    with pytest.raises(NotOnDuty):
        actions.take_written(consultation=case, doctor=a_doctor())
    hub.duties.update(paused_at=timezone.now())
    with pytest.raises(NotOnDuty):
        actions.take_written(consultation=case, doctor=rao)


def test_whom_a_report_has_parted_do_not_meet_in_writing_either(meena, hub, rao):
    case = sent(meena, hub, written=True)
    keep_apart(doctor=rao, patient=a_patient(case.patient.account))  # another of the same family
    assert case.patient.name not in as_staff(rao.user).get("/doctor/asked/").text
    with pytest.raises(MoveRefused):
        actions.take_written(consultation=case, doctor=rao)
    assert actions.take_written(consultation=case, doctor=on_duty(hub, a_doctor())).is_open


@many_at_once
def test_of_doctors_who_take_it_at_once_one_has_it(meena, hub, rao):
    case = sent(meena, hub, written=True)
    doctors = [rao, on_duty(hub, a_doctor()), on_duty(hub, a_doctor())]

    def take(number: int) -> str:
        mine = Consultation.objects.get(pk=case.pk)
        return outcome(
            lambda: actions.take_written(consultation=mine, doctor=doctors[number]), MoveRefused
        )

    assert sorted(at_once(3, take)) == ["MoveRefused", "MoveRefused", "done"]


@many_at_once
def test_a_written_case_is_taken_or_gets_a_place_but_never_both(meena, hub, rao, other):
    case = sent(meena, hub, written=True)
    on_duty(other, rao)

    def work(number: int) -> str:
        mine = Consultation.objects.get(pk=case.pk)
        return outcome(
            (lambda: actions.take_written(consultation=mine, doctor=rao))
            if number
            else lambda: actions.move_case(
                consultation=mine, clinic=other, because="Doctor is here now", by=meena
            ),
            MoveRefused,
            NotOnDuty,
        )

    assert at_once(2, work).count("done") == 1
    case = fresh(case)
    assert (case.state, case.token is None) in {("in_progress", True), ("requested", False)}


def test_a_page_that_is_old_does_not_take_a_case_that_has_a_place_by_now(meena, hub, rao, other):
    case = sent(meena, hub, written=True)
    old = fresh(case)
    actions.move_case(consultation=case, clinic=other, because="Doctor is here now", by=meena)
    with pytest.raises(NotOnDuty):
        actions.take_written(consultation=old, doctor=rao)
    on_duty(other, rao)
    with pytest.raises(MoveRefused):
        actions.take_written(consultation=old, doctor=rao)
    actions.leave(consultation=old, by=meena)
    assert (fresh(case).state, fresh(case).token.state) == ("cancelled", "left")


# --- moved, and taken back ----------------------------------------------------------------------
def test_a_waiting_case_moves_with_a_reason_to_a_place_that_is_linked(meena, hub, rao, other):
    sent(meena, other)
    case = sent(meena, hub)
    with pytest.raises(actions.NotReady) as held:
        actions.move_case(consultation=case, clinic=other, because=" ", by=meena)
    assert held.value.obstacles == ["no_reason"]
    assert fresh(case).token.state == "waiting"
    earlier = case.token
    answer = as_staff(meena).post(
        path("centre_move", case), {"clinic": str(other.uid), "because": "Shorter there"}
    )
    assert answer.url == path("centre_visit", case)
    case = fresh(case)
    assert (case.clinic, case.chosen_because, case.state) == (other, "Shorter there", "requested")
    assert (case.token.number, case.token.state, case.token.brought_by) == (2, "waiting", meena)
    earlier.refresh_from_db()
    assert (earlier.state, earlier.moved_to) == ("moved", case.token)


def test_a_case_does_not_move_where_nobody_takes_it_and_keeps_its_place(meena, hub, rao, other):
    case = sent(meena, hub)
    other.duties.all().delete()
    answer = as_staff(meena).post(
        path("centre_move", case), {"clinic": str(other.uid), "because": "Shorter"}, follow=True
    )
    assert "No doctor is on duty here now." in answer.text
    assert (fresh(case).clinic, fresh(case).token.state) == (hub, "waiting")


@pytest.mark.parametrize("data", [{"clinic": "other", "because": "x"}, {"in_writing": "1"}])
def test_a_case_that_is_called_stays_where_it_is(meena, hub, rao, other, data):
    case = sent(meena, hub)
    called(hub, rao)
    data = {name: str(other.uid) if value == "other" else value for name, value in data.items()}
    answer = as_staff(meena).post(path("centre_move", case), data, follow=True)
    assert "A doctor has just called. The case stays where it is." in answer.text
    assert (fresh(case).token.state, fresh(case).clinic) == ("called", hub)
    assert not Token.objects.filter(clinic=other).exists()


@many_at_once
def test_a_case_is_called_or_moved_but_never_both_and_nobody_waits_for_ever(meena, hub, rao, other):
    for _round in range(5):
        case = sent(meena, hub)

        def work(number: int, case=case) -> str:
            mine = Consultation.objects.get(pk=case.pk)
            if number:
                return outcome(lambda: called(hub, rao), NobodyPresent, AlreadyHolding)
            return outcome(
                lambda: actions.move_case(
                    consultation=mine, clinic=other, because="Shorter", by=meena
                ),
                MoveRefused,
            )

        moved, call = at_once(2, work)
        assert [moved, call].count("done") == 1
        case = fresh(case)
        assert (case.clinic, case.token.state) == (
            (other, "waiting") if moved == "done" else (hub, "called")
        )
        actions.leave(consultation=case, by=meena)


@pytest.mark.postgresql
@many_at_once
def test_of_two_who_find_a_written_case_a_line_one_does_and_it_has_one_place(
    meena, hub, rao, other
):
    case = sent(meena, hub, written=True)
    third = a_hub(centre_of(meena), name="Bagaha CHC")
    on_duty(third)

    def move(clinic) -> Consultation:
        return actions.move_case(
            consultation=Consultation.objects.get(), clinic=clinic, because="Free", by=meena
        )

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Consultation.objects.select_for_update().get()
            late = behind(thread, lambda: move(third))
            move(other)
        with pytest.raises(MoveRefused):
            late.result()
    assert Token.objects.get() == fresh(case).token


def test_a_waiting_case_may_ask_for_an_answer_in_writing(meena, hub, rao):
    case = sent(meena, hub)
    token = case.token
    as_staff(meena).post(path("centre_move", case), {"in_writing": "1"})
    case = fresh(case)
    token.refresh_from_db()
    assert (case.token, case.is_written, case.clinic, token.state) == (None, True, hub, "left")


def test_a_case_is_taken_back_until_the_doctor_has_begun(meena, hub, rao):
    case, written = sent(meena, hub), sent(meena, hub, written=True)
    for one in (case, written):
        as_staff(meena).post(path("centre_leave", one))
        assert (fresh(one).state, fresh(one).end_reason) == ("cancelled", "left")
    third = sent(meena, hub)
    actions.begin(consultation=called(hub, rao), by=meena)
    as_staff(meena).post(path("centre_leave", third))
    assert fresh(third).state == "in_progress"
    assert the_day(case.facility).came_back == []


def test_the_days_end_brings_it_back_to_the_desk_and_writes_no_sms(meena, hub, rao):
    case = sent(meena, hub)
    Token.objects.update(day=timezone.localdate() - timedelta(days=2))
    actions.sweep_lines()
    assert (fresh(case).state, fresh(case).end_reason) == ("cancelled", "day_over")
    assert the_day(case.facility).came_back == [case]
    assert not Message.objects.exists()


# --- sent again ---------------------------------------------------------------------------------
@pytest.fixture
def returned(meena, hub, rao, other):
    sent(meena, hub, allergies="Penicillin")
    return actions.return_consultation(
        consultation=called(hub, rao),
        by=rao.user,
        reason="wrong_speciality",
        words="Narkatia knows this patient",
        clinic=other,
    )


def test_one_click_sends_what_came_back_with_nothing_typed_again(meena, returned, other):
    week = timezone.now() - timedelta(days=7)
    Consent.objects.update(given_at=week, how="signed", language="hi")
    page = as_staff(meena).get(path("centre_visit", returned)).text
    assert "The patient is here: send to Narkatia CHC" in page
    sunita = a_health_worker(returned.facility)
    answer = as_staff(sunita).post(path("centre_send_again", returned), {"clinic": str(other.uid)})
    again = Consultation.objects.get(continues=returned)
    assert answer.url == path("centre_visit", again)
    assert (again.state, again.clinic, again.token.number) == ("requested", other, 1)
    assert again.words() == returned.words()
    assert again.observations.get().value == returned.observations.get().value
    consent = again.consent
    assert (consent.given_at, consent.how, consent.language) == (week, "signed", "hi")
    assert (consent.given_by, again.attested_by, again.requested_by) == (meena, sunita, sunita)
    assert the_day(returned.facility).came_back == []


def test_a_second_click_sends_it_no_second_time_however_late(meena, returned, other):
    again = actions.send_again(earlier=returned, sending=to(other), by=meena)
    with pytest.raises(actions.AlreadySent):
        actions.send_again(earlier=returned, sending=to(other), by=meena)
    actions.leave(consultation=fresh(again), by=meena)
    answer = as_staff(meena).post(path("centre_send_again", returned), {"clinic": str(other.uid)})
    assert answer.url == path("centre_visit", returned)
    assert Consultation.objects.filter(continues=returned).count() == 1


def test_it_is_not_sent_again_over_the_head_of_a_colleague_who_writes(meena, returned, other):
    draft = actions.reopen_case(earlier=returned, by=meena)
    actions.save_case(
        draft=draft, by=meena, revision=0, words={"complaint": "Every second day"}, vitals={}
    )
    answer = as_staff(meena).post(
        path("centre_send_again", returned), {"clinic": str(other.uid)}, follow=True
    )
    assert "A colleague is writing on a case of this patient" in answer.text
    assert (fresh(draft).state, fresh(draft).complaint) == ("draft", "Every second day")


def test_a_mended_draft_that_is_thrown_away_leaves_the_case_on_the_desk(meena, returned, other):
    draft = actions.reopen_case(earlier=returned, by=meena)
    assert the_day(returned.facility).came_back == []
    actions.discard_draft(consultation=draft, by=meena)
    assert the_day(returned.facility).came_back == [returned]
    actions.send_again(earlier=returned, sending=to(other), by=meena)
    assert the_day(returned.facility).came_back == []


def test_what_did_not_come_back_is_not_sent_again(meena, hub, rao, other):
    draft, waiting = at_centre(meena), sent(meena, hub)
    done = sent(meena, hub, written=True)
    actions.take_written(consultation=done, doctor=rao)
    actions.complete(consultation=fresh(done), by=rao.user)
    for case in (draft, waiting, done):
        before = fresh(case).state
        answer = as_staff(meena).post(path("centre_send_again", case), {"clinic": str(other.uid)})
        assert (answer.status_code, fresh(case).state) == (302, before)
    assert not Consultation.objects.exclude(continues=None).exists()


def test_it_is_not_sent_again_to_a_clinic_that_is_no_longer_linked(meena, returned, other):
    other.hub_links.all().delete()
    answer = as_staff(meena).post(
        path("centre_send_again", returned), {"clinic": str(other.uid)}, follow=True
    )
    assert "no longer linked to this clinic" in answer.text
    assert the_day(returned.facility).came_back == [returned]


def test_seniors_go_first_and_emergencies_before_them(meena, hub, rao):
    for patient, words in [
        (a_patient(), {}),
        (a_patient(age=70), {}),
        (a_patient(), {"is_emergency": True}),
    ]:
        sent(meena, hub, patient, **words)
    priorities = Token.objects.order_by("number").values_list("priority", flat=True)
    assert list(priorities) == [2, 1, 0]
    assert called(hub, rao).is_emergency
