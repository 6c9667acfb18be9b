"""A health centre's pages: their moving parts alone, and parts that are kept and are never old."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts.models import AuditEvent, Patient
from consult import actions
from consult.models import Consultation, Dispensing, FollowUp
from queues import actions as queues
from queues.counts import Counts, count
from queues.models import Clinic, ClinicDay, Duty, HubLink, Token
from tests.factories import (
    PARACETAMOL,
    PULSE,
    a_doctor,
    a_health_worker,
    a_hub,
    a_patient,
    a_user,
    as_staff,
    at_centre,
    before_the_screen,
    called,
    centre_of,
    known_at,
    on_duty,
    prescribed,
    queries_of,
    sent,
)

pytestmark = pytest.mark.django_db
BY_SCRIPT = {"X-Requested-With": "fetch"}


@pytest.fixture
def rao(hub):
    return on_duty(hub)


def path(name: str, row) -> str:
    return reverse(f"consult:{name}", args=[row.uid])


def part(user, case: Consultation) -> str:
    return as_staff(user).get(path("centre_visit", case), headers=BY_SCRIPT).text


# --- the part that turns ------------------------------------------------------------------------
def test_a_script_is_given_the_place_then_the_call_without_the_page_around_it(meena, hub, rao):
    case = sent(meena, hub)
    place = part(meena, case)
    assert 'data-turn="waiting"' in place
    assert "Send it elsewhere" in place
    called(hub, rao)
    call = part(meena, case)
    assert 'data-turn="called"' in call
    assert path("centre_answer", case) in call
    assert "Dr Raghav Rao is calling" in call
    for one in (place, call):
        assert "<html" not in one
        assert case.patient.name not in one
    read = AuditEvent.objects.filter(action="consultation.read", patient=case.patient, by=meena)
    assert read.count() == 2
    assert "Waiting for the doctor" not in as_staff(meena).get(path("centre_visit", case)).text


def test_the_part_turns_to_the_room_by_another_page(meena, hub, rao):
    case = before_the_screen(meena, hub, rao)
    assert "data-turn" not in part(meena, case)


def test_a_stranger_gets_no_part(meena, hub, rao):
    case = sent(meena, hub)
    stranger = as_staff(a_health_worker())
    answer = stranger.get(path("centre_visit", case), headers=BY_SCRIPT)
    assert answer.status_code == 404


# --- noted in place -----------------------------------------------------------------------------
def test_what_was_given_is_noted_in_place_for_a_script_and_by_the_page_without(meena, hub, rao):
    case = before_the_screen(meena, hub, rao)
    prescribed(case)
    actions.complete(consultation=case, by=rao.user)
    browser, there = as_staff(meena), path("centre_dispense", case)
    answer = browser.post(there, {"given_1": "partly", "words_1": "ten"}, headers=BY_SCRIPT)
    assert "<html" not in answer.text
    assert 'data-swap="told"' in answer.text
    assert "Noted what was given." in answer.text
    assert 'value="ten"' in answer.text
    assert browser.post(there, {"given_1": "given"}).url == path("centre_visit", case)


@pytest.mark.parametrize(
    "typed", [{}, {"given_1": "eaten"}, {"words_1": "ten"}, {"given_2": "given", "words_1": "ten"}]
)
def test_what_is_not_chosen_is_not_said_to_be_noted_and_no_word_is_lost(meena, hub, rao, typed):
    case = before_the_screen(meena, hub, rao)
    prescribed(case, PARACETAMOL, replace(PARACETAMOL, generic="Folic acid"))
    actions.complete(consultation=case, by=rao.user)
    browser, there = as_staff(meena), path("centre_dispense", case)
    answer = browser.post(there, typed, headers=BY_SCRIPT)
    assert "Nothing is noted yet." in answer.text
    assert ('value="ten"' in answer.text) == ("words_1" in typed)
    assert not Dispensing.objects.exists()
    assert "Nothing is noted yet." in browser.post(there, typed, follow=True).text


# --- what is kept -------------------------------------------------------------------------------
def test_how_a_hub_stands_is_shown_as_it_is_now_and_in_the_readers_language(meena, hub, rao):
    browser = as_staff(meena)
    assert "1 doctor<" in browser.get("/centre/part/").text
    on_duty(hub, a_doctor())
    assert "2 doctors<" in browser.get("/centre/part/").text
    hindi = browser.get("/centre/part/", headers={"Accept-Language": "hi"}).text
    assert "2 doctors<" not in hindi
    assert "2 डॉक्टर" in hindi
    assert "Full now" not in browser.get("/centre/part/").text
    Clinic.objects.filter(pk=hub.pk).update(name="Renamed", waiting_limit=0)
    full = browser.get("/centre/part/").text
    assert "Renamed" in full
    assert "Full now" in full


def test_an_untouched_case_form_shows_nothing_that_was_typed_into_another(meena, hub):
    browser = as_staff(meena)
    written = at_centre(meena, complaint="Fever since the fair", allergies="penicillin")
    empty, boys = (
        actions.open_case(patient=patient, facility=centre_of(meena), by=meena)
        for patient in (
            known_at(centre_of(meena), a_patient()),
            known_at(centre_of(meena), a_patient(sex=Patient.Sex.MALE)),
        )
    )
    for _twice in range(2):
        shown = browser.get(path("centre_case", written)).text
        assert "Fever since the fair" in shown
        assert 'value="88"' in shown
        for draft, is_asked in ((empty, True), (boys, False)):
            page = browser.get(path("centre_case", draft)).text
            assert "penicillin" not in page
            assert 'value="88"' not in page
            assert ("The patient is pregnant" in page) is is_asked
    hindi = browser.get(path("centre_case", empty), headers={"Accept-Language": "hi"}).text
    assert "The patient is pregnant" not in hindi


def test_a_vital_sign_measured_by_a_device_is_no_untouched_case(meena, hub):
    draft = actions.open_case(
        patient=known_at(centre_of(meena)), facility=centre_of(meena), by=meena
    )
    browser = as_staff(meena)
    assert 'value="88"' not in browser.get(path("centre_case", draft)).text
    actions.save_case(draft=draft, by=meena, revision=0, words={}, vitals=dict(PULSE))
    Consultation.objects.filter(pk=draft.pk).update(revision=0)  # as a device leaves it
    assert 'value="88"' in browser.get(path("centre_case", draft)).text


@pytest.mark.parametrize("language", ["en", "hi"])
def test_when_vital_signs_were_taken_is_told_as_every_time_is(meena, hub, rao, language):
    """The time alone of today's; of an earlier day its date too, though they were drawn today."""
    case = sent(meena, hub)
    taken = case.observations.get().taken_at

    def shown() -> str:
        said = {"Accept-Language": language}
        return vitals_of(as_staff(meena).get(path("centre_visit", case), headers=said).text)

    def words(form: str) -> str:
        with translation.override(language):
            return date_format(timezone.localtime(taken), form)

    assert f">{words('TIME_FORMAT')}<" in shown()
    taken -= timedelta(days=366)
    case.observations.update(taken_at=taken)
    assert f">{words('DATETIME_FORMAT')}<" in shown()


def vitals_of(page: str) -> str:
    return page.split('<table class="vitals">')[1].split("</table>")[0]


# --- counts -------------------------------------------------------------------------------------
def news_on(user, case: Consultation) -> str:
    (told,) = re.findall('data-news="(.*?)"', as_staff(user).get(path("centre_visit", case)).text)
    return told


def test_a_case_shows_who_else_is_open_and_what_was_settled_today(meena, hub, rao):
    case = before_the_screen(meena, hub, rao)
    assert news_on(meena, case) == ""
    other = sent(meena, hub, a_patient(name="Ravi Kumar"))
    assert news_on(meena, case).startswith(f"{other.pk}.")
    assert "Ravi Kumar" in as_staff(meena).get(path("centre_visit", case)).text
    actions.leave(consultation=other, by=meena)
    assert news_on(meena, case) == ""
    Consultation.objects.filter(pk=other.pk).update(settled_at=timezone.now(), settled_by=meena)
    assert "settled" in news_on(meena, case)
    sunita = a_health_worker()
    HubLink.objects.create(spoke=centre_of(sunita), clinic=hub)
    sent(sunita, hub)  # at another centre
    assert news_on(meena, case) == "0.None.settled.1.0"


def test_several_clinics_are_counted_as_the_querysets_count_each(meena, hub, rao):
    other, empty = a_hub(centre_of(meena), name="Other"), a_hub(centre_of(meena), name="Empty")
    paused, apart = on_duty(hub, a_doctor()), on_duty(hub, a_doctor())
    queues.start_duty(doctor=rao, clinic=other)
    queues.pause_duty(doctor=paused)
    queues.end_duty(doctor=on_duty(hub, a_doctor()))
    yesterday = timezone.localdate() - timedelta(days=1)
    ClinicDay.objects.create(clinic=empty, day=yesterday, last_number=9)
    parents = a_user()
    asha, sister = a_patient(parents), a_patient(parents)
    queues.keep_apart(doctor=apart, patient=asha)
    before_the_screen(meena, hub, rao)
    for clinic in (hub, hub, other):
        sent(meena, clinic)
    clinics = [hub, other, empty]
    for patient in (None, asha, sister, a_patient()):
        expected = {clinic.pk: one_by_one(clinic, patient) for clinic in clinics}
        assert count([clinic.pk for clinic in clinics], patient) == expected
    assert count([hub.pk])[hub.pk] == Counts(waiting=2, given=3, doctors=2, busy=1)
    assert count([hub.pk], sister)[hub.pk].doctors == 1
    assert count([]) == {}


def one_by_one(clinic, patient) -> Counts:
    """No line of these is of an earlier day."""
    duties = Duty.objects.working().filter(clinic=clinic)
    if patient is not None:
        same = Q(doctor__kept_apart__patient=patient)
        same |= Q(doctor__kept_apart__patient__account=patient.account_id)
        duties = duties.exclude(pk__in=Duty.objects.filter(same).values("pk"))
    doctors = set(duties.values_list("doctor", flat=True))
    held = set(Token.objects.held().values_list("doctor", flat=True))
    tokens = Token.objects.filter(clinic=clinic)
    return Counts(tokens.waiting().count(), tokens.count(), len(doctors), len(doctors & held))


def test_what_a_case_or_a_person_has_none_of_is_not_asked_for(meena, hub, rao):
    browser, case = as_staff(meena), before_the_screen(meena, hub, rao)
    room = path("centre_visit", case)
    bare = queries_of(browser, room)
    actions.instruct(consultation=case, by=rao.user, words="Look at the throat")
    assert "Look at the throat" in browser.get(room).text
    assert queries_of(browser, room) == bare + 1
    of_newcomer, of_patient = (
        reverse("consult:centre_patient", args=[one.uid])
        for one in (known_at(centre_of(meena)), case.patient)
    )
    assert "On the way" in browser.get(of_patient).text
    assert queries_of(browser, of_newcomer) == queries_of(browser, of_patient) - 4


# --- the desk -----------------------------------------------------------------------------------
def test_the_desk_needs_as_many_queries_for_two_of_each_kind_as_for_one(meena, hub, rao):
    browser = as_staff(meena)
    one_of_each_kind(meena, hub, rao)
    one = queries_of(browser, "/centre/")
    one_of_each_kind(meena, hub, on_duty(hub, a_doctor()))
    assert queries_of(browser, "/centre/") == one


def one_of_each_kind(meena, hub, rao) -> None:
    done = before_the_screen(meena, hub, rao)
    actions.save_note(consultation=done, by=rao.user, diagnosis="Viral fever")
    FollowUp.objects.create(
        consultation=done,
        patient=done.patient,
        facility=done.facility,
        due_on=done.created_at.date(),
    )
    actions.complete(consultation=done, by=rao.user)
    sent(meena, hub)
    actions.return_consultation(
        consultation=called(hub, rao), by=rao.user, reason="not_enough", words="Say more"
    )
    sent(meena, hub, written=True)
    at_centre(meena)
    colleague = a_health_worker(centre_of(meena))
    in_call = before_the_screen(colleague, hub, rao)
    actions.instruct(consultation=in_call, by=rao.user, words="Measure again")
    sent(a_health_worker(centre_of(meena)), hub)
    called(hub, on_duty(hub, a_doctor()))
