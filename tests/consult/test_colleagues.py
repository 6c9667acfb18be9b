"""What a treating doctor asks of others: the health worker, a specialist, another clinic, a hospital."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Message
from consult import actions
from consult.live.tips import read_tips
from consult.models import Consent, Consultation, FollowUp, Opinion
from consult.people import Role, role_of
from queues.actions import AlreadyWaiting, NoToken, keep_apart
from queues.models import MoveRefused, Token
from tests.at_once import at_once
from tests.consult.test_pdf import syllables_of, text_of
from tests.factories import (
    a_clinic,
    a_doctor,
    a_facility,
    a_health_worker,
    a_hub,
    a_patient,
    a_specialist,
    a_user,
    an_opinion,
    as_patient,
    as_staff,
    before_the_screen,
    called,
    centre_of,
    in_the_room,
    on_duty,
    prescribed,
    refused_to,
    sent,
)

pytestmark = pytest.mark.django_db
many_at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rao(hub):
    return on_duty(hub)


@pytest.fixture
def skin(meena):
    return a_hub(centre_of(meena), "dermatology", name="Skin in Patna")


@pytest.fixture
def case(meena, hub, rao) -> Consultation:
    """Before the screen, with Dr Rao."""
    return before_the_screen(meena, hub, rao, allergies="Penicillin")


def path(name: str, case: Consultation, *more) -> str:
    return reverse(f"consult:{name}", args=[case.uid, *more])


def fresh(row):
    return type(row).objects.get(pk=row.pk)


# --- the health worker --------------------------------------------------------------------------
def test_what_the_doctor_asks_for_lands_on_the_centres_page_and_the_answer_on_the_doctors(
    meena, rao, case
):
    as_staff(rao.user).post(
        path("instruct", case), {"instruction-words": "Measure the pulse again"}
    )
    asked = case.instructions.get()
    assert (asked.asked_by, asked.done_at) == (rao.user, None)
    for page in (path("centre_visit", case), reverse("consult:centre")):
        assert "Measure the pulse again" in as_staff(meena).get(page).text
    done = reverse("consult:centre_carry_out", args=[case.uid, asked.pk])
    as_staff(meena).post(done, {"answer": "96 now"})
    asked.refresh_from_db()
    assert (asked.answer, asked.done_by) == ("96 now", meena)
    assert "96 now" in as_staff(rao.user).get(path("doctors_room", case)).text
    as_staff(a_health_worker(case.facility)).post(done, {"answer": "something else"})
    assert fresh(asked).answer == "96 now"


def test_a_page_says_of_its_parts_what_its_socket_will_say(meena, rao, skin, case):
    """Else it fetches them anew with every greeting."""
    asked = actions.instruct(consultation=case, by=rao.user, words="Measure the pulse again")
    actions.carry_out(instruction=asked, by=meena, answer="96 now")
    actions.instruct(consultation=case, by=rao.user, words="And the temperature")
    an_opinion(case, skin)
    _emergency, _dot, counts = read_tips([case.pk])[case.pk].parts.partition(".")
    assert counts == "2.1.1.0.0"
    assert f'data-panels="{counts}"' in as_staff(rao.user).get(path("doctors_room", case)).text
    theirs = as_staff(meena).get(path("centre_visit", case)).text
    assert 'data-instructions="2.1"' in theirs
    assert 'data-opinion="1.0.0"' in theirs


def test_an_empty_wish_is_refused_and_one_after_the_end_does_nothing(rao, case):
    desk = as_staff(rao.user)
    assert desk.post(path("instruct", case), {"instruction-words": " "}).status_code == 422
    actions.complete(consultation=case, by=rao.user)
    assert desk.post(path("instruct", case), {"instruction-words": "Weigh"}).status_code == 302
    assert not case.instructions.exists()


def test_an_instruction_of_another_case_is_not_carried_out_here(meena, hub, rao, case):
    elsewhere = before_the_screen(a_health_worker(case.facility), hub, on_duty(hub, a_doctor()))
    asked = actions.instruct(consultation=elsewhere, by=rao.user, words="Weigh")
    wrong = reverse("consult:centre_carry_out", args=[case.uid, asked.pk])
    assert as_staff(meena).post(wrong, {"answer": "70"}).status_code == 404
    assert fresh(asked).done_at is None


# --- an opinion ---------------------------------------------------------------------------------
def test_a_specialist_is_asked_joins_and_answers_and_the_asking_doctor_stays(rao, skin, case):
    das = a_specialist(skin)
    ask = {"opinion-clinic": str(skin.uid), "opinion-question": "Is this eczema?"}
    as_staff(rao.user).post(path("ask_opinion", case), ask)
    opinion = case.opinions.get()
    specialist = as_staff(das.user)
    assert "Is this eczema?" in specialist.get(reverse("consult:asked")).text
    assert specialist.get(path("specialists_room", case)).status_code == 404
    joined = specialist.post(reverse("consult:join", args=[opinion.uid]))
    assert joined.url == path("specialists_room", case)
    assert role_of(case, das.user) == Role.SPECIALIST
    assert case.patient.name in specialist.get(joined.url).text
    empty = specialist.post(joined.url, {"answer": " "})
    assert (empty.status_code, fresh(opinion).state) == (422, "joined")
    specialist.post(joined.url, {"answer": "Eczema; hydrocortisone for a week."})
    opinion = fresh(opinion)
    assert (opinion.state, opinion.specialist) == ("answered", das)
    assert "hydrocortisone for a week" in as_staff(rao.user).get(path("doctors_room", case)).text
    assert (fresh(case).doctor, fresh(case).state) == (rao, "in_progress")


def test_a_specialist_neither_ends_the_talk_nor_sits_in_it_for_ever(rao, skin, case):
    das = a_specialist(skin)
    opinion = an_opinion(case, skin)
    actions.join(opinion=opinion, specialist=das)
    assert actions.join_call(pk=case.pk, by=das.user, page="x").role == Role.SPECIALIST
    with pytest.raises(MoveRefused):
        actions.report_abuse(consultation=fresh(case), by=das.user, words="Rude")
    actions.give_opinion(opinion=opinion, specialist=das, answer="Eczema")
    with pytest.raises(MoveRefused):
        actions.join_call(pk=case.pk, by=das.user, page="x")
    assert fresh(case).state == "in_progress"


def test_a_phone_at_home_has_no_seat_in_a_call_at_the_centre(meena, case):
    with pytest.raises(MoveRefused):
        actions.join_call(pk=case.pk, by=case.patient.account, page="x")
    assert actions.join_call(pk=case.pk, by=meena, page="x").role == Role.HEALTH_WORKER


def test_a_specialist_who_was_parted_from_the_patient_does_not_join(skin, case):
    opinion, das = an_opinion(case, skin), a_specialist(skin)
    keep_apart(doctor=das, patient=case.patient)
    with pytest.raises(actions.NotAsked):
        actions.join(opinion=opinion, specialist=das)
    assert actions.join(opinion=opinion, specialist=a_specialist(skin)).state == "joined"


def test_only_a_specialist_on_duty_there_who_does_not_treat_may_join(rao, skin, case):
    opinion = an_opinion(case, skin)
    away, das = a_doctor(), a_specialist(skin)
    skin.duties.update(paused_at=timezone.now())
    on_duty(skin, rao)  # in both clinics
    for doctor in (away, das, rao):
        with pytest.raises(actions.NotAsked):
            actions.join(opinion=opinion, specialist=doctor)
    assert fresh(opinion).state == "asked"
    with pytest.raises(actions.NotAsked):
        actions.give_opinion(opinion=opinion, specialist=das, answer="Eczema")


def test_one_specialist_at_a_time_is_asked_of_a_doctor_who_treats(rao, skin, case):
    first = an_opinion(case, skin)
    with pytest.raises(MoveRefused):
        an_opinion(case, skin)
    actions.withdraw_opinion(opinion=first, doctor=rao)
    second = an_opinion(case, skin)
    with pytest.raises(MoveRefused):
        actions.ask_opinion(consultation=case, doctor=a_doctor(), clinic=skin, question="?")
    assert [one.state for one in Opinion.objects.all()] == ["withdrawn", "asked"]
    assert second.consultation == case


@many_at_once
def test_of_specialists_who_join_at_once_one_is_in(skin, case):
    opinion, specialists = an_opinion(case, skin), [a_specialist(skin) for _ in range(3)]

    def join(number: int) -> str:
        try:
            actions.join(opinion=fresh(opinion), specialist=specialists[number])
        except MoveRefused:
            return "late"
        return "in"

    assert sorted(at_once(3, join)) == ["in", "late", "late"]
    assert fresh(opinion).specialist in specialists


def test_who_was_too_late_is_told_and_sees_nothing(skin, case):
    opinion = an_opinion(case, skin)
    actions.join(opinion=opinion, specialist=a_specialist(skin))
    late = as_staff(a_specialist(skin).user)
    answer = late.post(reverse("consult:join", args=[opinion.uid]), follow=True)
    assert "Another specialist was faster" in answer.text
    assert late.get(path("specialists_room", case)).status_code == 404


def test_only_clinics_within_reach_are_asked(rao, case):
    far = a_clinic(name="Of another centre", takes_opd=False)
    ask = {"opinion-clinic": str(far.uid), "opinion-question": "?"}
    assert as_staff(rao.user).post(path("ask_opinion", case), ask).status_code == 422
    assert not Opinion.objects.exists()


def test_a_phc_doctor_asks_the_specialists_that_the_phc_is_linked_to(meena, hub):
    phc = a_facility(name="Harinagar PHC", kind="phc")
    heart = a_hub(phc, "cardiology")
    doctor = on_duty(hub, a_doctor(facility=phc))
    case = before_the_screen(meena, hub, doctor)
    ask = {"opinion-clinic": str(heart.uid), "opinion-question": "Murmur?"}
    assert as_staff(doctor.user).post(path("ask_opinion", case), ask).status_code == 302
    assert case.opinions.get().clinic == heart


@pytest.mark.parametrize("end", ["complete", "return"])
def test_the_end_of_the_consultation_withdraws_an_open_opinion(rao, skin, case, end):
    opinion = an_opinion(case, skin)
    if end == "complete":
        actions.complete(consultation=case, by=rao.user)
    else:
        actions.return_consultation(consultation=case, by=rao.user, reason="other", words="Later")
    assert fresh(opinion).state == "withdrawn"
    with pytest.raises(MoveRefused):
        actions.join(opinion=fresh(opinion), specialist=a_specialist(skin))


# --- transfer of care ---------------------------------------------------------------------------
def transfer(rao, case, clinic, **fields):
    form = {
        "transfer-clinic": str(clinic.uid),
        "transfer-words": "Dr Das knows about this",
        "transfer-told": "on",
        **fields,
    }
    return as_staff(rao.user).post(path("transfer", case), {k: v for k, v in form.items() if v})


def test_care_goes_over_to_another_clinic_with_everything_in_it(meena, rao, skin, case):
    das, earlier = a_specialist(skin), case.token
    opinion = an_opinion(case, skin)
    assert transfer(rao, case, skin).status_code == 302
    later = Consultation.objects.get(continues=case)
    case, token = fresh(case), Token.objects.get(pk=earlier.pk)
    assert (case.state, case.end_reason, case.doctor) == ("completed", "transferred", rao)
    assert (token.state, token.moved_to) == ("moved", later.token)
    assert (later.state, later.clinic, later.doctor) == ("requested", skin, None)
    assert (later.token.number, later.token.priority, later.token.brought_by) == (1, 1, meena)
    assert later.words() == case.words()
    assert later.observations.get().copy_of == case.observations.get()
    mine, theirs = Consent.objects.get(consultation=case), Consent.objects.get(consultation=later)
    assert (theirs.given_at, theirs.how, theirs.given_by) == (
        mine.given_at,
        mine.how,
        mine.given_by,
    )
    assert fresh(opinion).state == "withdrawn"
    assert called(skin, das) == later


def test_the_patient_is_told_that_another_doctor_takes_over(rao, skin, case):
    a_specialist(skin)
    transfer(rao, case, skin)
    page = as_patient(case.patient.account).get(path("visit", case)).text
    assert "Another doctor takes over: Skin in Patna" in page
    assert "Dr Das knows about this" in page
    assert path("visit", Consultation.objects.get(continues=case)) in page


def test_no_transfer_without_having_told_the_patient(rao, skin, case):
    a_specialist(skin)
    answer = transfer(rao, case, skin, **{"transfer-told": ""})
    assert (answer.status_code, "Tell the patient first" in answer.text) == (422, True)
    assert fresh(case).state == "in_progress"


def test_where_nobody_takes_the_patient_nothing_changes(rao, skin, case):
    opinion = an_opinion(case, skin)
    answer = transfer(rao, case, skin)
    assert (answer.status_code, "No doctor is on duty" in answer.text) == (409, True)
    assert (fresh(case).state, fresh(case.token).state, fresh(opinion).state) == (
        "in_progress", "serving", "asked",
    )  # fmt: skip
    assert Consultation.objects.count() == Token.objects.count() == 1
    with pytest.raises(NoToken):
        actions.transfer_care(consultation=case, doctor=rao, clinic=skin, words="x")


def test_a_transfer_is_of_the_treating_doctor_of_a_call_only(meena, hub, rao, skin, case):
    a_specialist(skin)
    with pytest.raises(MoveRefused):
        actions.transfer_care(consultation=case, doctor=a_doctor(), clinic=skin, words="x")
    with pytest.raises(AlreadyWaiting):
        actions.transfer_care(consultation=case, doctor=rao, clinic=hub, words="x")
    written = sent(meena, hub, written=True)
    actions.take_written(consultation=written, doctor=rao)
    with pytest.raises(MoveRefused):
        actions.transfer_care(consultation=written, doctor=rao, clinic=skin, words="x")
    assert {fresh(one).state for one in (case, written)} == {"in_progress"}


# --- a letter -----------------------------------------------------------------------------------
def refer(rao, case, **fields):
    form = {
        "referral-place": "Sadar hospital",
        "referral-urgency": "urgent",
        "referral-reason": "Rule out pneumonia",
        **fields,
    }
    return as_staff(rao.user).post(path("refer", case), form)


def test_what_is_sent_again_because_its_answer_was_lost_is_one(rao, case):
    for _twice in range(2):
        as_staff(rao.user).post(path("instruct", case), {"instruction-words": "Weigh"})
        refer(rao, case)
    refer(rao, case, **{"referral-place": "District hospital"})
    assert [one.words for one in case.instructions.all()] == ["Weigh"]
    assert [one.place for one in case.referrals.all()] == ["Sadar hospital", "District hospital"]
    actions.carry_out(instruction=case.instructions.get(), by=case.token.brought_by, answer="70")
    actions.instruct(consultation=case, by=rao.user, words="Weigh")  # once more
    assert case.instructions.count() == 2


def downloaded(user, case) -> bytes:
    answer = as_staff(user).get(path("letter", case, case.referrals.get().uid))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    return b"".join(answer.streaming_content)


def test_the_letter_says_where_how_soon_and_why_in_english(meena, rao, case):
    assert refer(rao, case).status_code == 302
    text = text_of(downloaded(meena, case))
    for words in [
        "Referral", "Sadar hospital", "Within a day", "Rule out pneumonia", "Asha Menon",
        "Fever with chills at night", "A few days", "Pulse 88 /min", "Penicillin", "Dr Raghav Rao",
        rao.registration_number, "the patient was not examined in person",
    ]:  # fmt: skip
        assert words in text


def test_the_letter_says_it_in_hindi_too(meena, hub, rao):
    """Each group of glyphs says which syllable it stands for."""
    names = {"name": "श्री कृष्ण द्विवेदी", "language": "hi"}
    case = before_the_screen(meena, hub, rao, a_patient(**names))
    refer(rao, case, **{"referral-place": "क्षेत्रीय अस्पताल"})
    said = syllables_of(downloaded(meena, case))
    assert said >= {"श्री", "कृ", "द्वि", "क्षे", "त्री", "फ़ो"}


def test_the_letter_is_frozen_and_the_same_bytes_each_time(meena, rao, case):
    refer(rao, case)
    before = downloaded(meena, case)
    case.patient.name, case.complaint = "Somebody else", "Something else"
    case.patient.save()
    case.save()
    assert downloaded(rao.user, case) == before


def test_a_letter_is_made_where_an_emergency_said_no_words(meena, hub, rao):
    case = before_the_screen(meena, hub, rao, complaint="", since="", vitals={}, is_emergency=True)
    refer(rao, case)
    assert "Rule out pneumonia" in text_of(downloaded(meena, case))
    issued = prescribed(case)
    actions.render_prescription(issued.pk)
    issued.refresh_from_db()
    with issued.pdf.open() as pdf:
        assert "Paracetamol" in text_of(pdf.read())


def test_a_letter_says_where_and_nobody_else_reads_it(rao, case):
    assert refer(rao, case, **{"referral-place": " "}).status_code == 422
    assert not case.referrals.exists()
    refer(rao, case)
    stranger = a_user()
    letter = path("letter", case, case.referrals.get().uid)
    assert as_patient(stranger).get(letter).status_code == 404
    assert refused_to(stranger) == [f"consultation:{case.uid}"]
    assert as_patient(case.patient.account).get(letter).status_code == 200


# --- the end ------------------------------------------------------------------------------------
def test_a_return_suggests_a_linked_clinic_and_no_other(rao, skin, case):
    far = a_clinic(name="Of another centre")
    form = {"return-reason": "wrong_speciality", "return-words": "Ask the skin doctors"}
    room = as_staff(rao.user)
    wrong = room.post(path("send_back", case), form | {"return-clinic": str(far.uid)})
    assert (wrong.status_code, fresh(case).state) == (422, "in_progress")
    assert (
        room.post(path("send_back", case), form | {"return-clinic": str(skin.uid)}).status_code
        == 302
    )
    case = fresh(case)
    assert (case.state, case.end_reason, case.suggested_clinic) == (
        "returned", "wrong_speciality", skin,
    )  # fmt: skip
    assert not Message.objects.exists()


def test_a_follow_up_becomes_a_task_of_the_centre_and_of_no_patient_at_home(rao, case):
    day = timezone.localdate() + timedelta(days=5)
    home = a_clinic()
    das = on_duty(home, a_doctor())
    at_home = in_the_room(home, das)
    for one, doctor in ((case, rao), (at_home, das)):
        actions.save_note(consultation=one, by=doctor.user, diagnosis="Malaria", follow_up_on=day)
        actions.complete(consultation=fresh(one), by=doctor.user)
    task = FollowUp.objects.get()
    assert (task.consultation, task.facility, task.due_on) == (case, case.facility, day)


def test_no_follow_up_without_a_date(rao, case):
    actions.save_note(consultation=case, by=rao.user, diagnosis="Malaria")
    actions.complete(consultation=case, by=rao.user)
    assert not FollowUp.objects.exists()
