"""The doctor's room: the case, notes that save themselves, returning, finishing, the past."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Message
from consult import actions
from consult.models import Consultation, Note
from queues import actions as queues
from queues.models import MoveRefused, Token
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    a_patient,
    as_staff,
    called,
    in_the_room,
    on_duty,
    prescribed,
    queries_of,
    waiting,
)

pytestmark = pytest.mark.django_db
PAST = "/doctor/consultations/"
QUIETLY = {"X-Requested-With": "fetch"}


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def rao(clinic):
    return on_duty(clinic)


@pytest.fixture
def consultation(clinic, rao) -> Consultation:
    return in_the_room(clinic, rao)


def path(name: str, consultation: Consultation) -> str:
    return reverse(f"consult:{name}", args=[consultation.uid])


def desk_of(consultation: Consultation):
    return as_staff(consultation.doctor.user)


def save(consultation: Consultation, *lines, headers=None, initial=0, **fields):
    data = a_doctors_form(*lines, initial=initial, **fields)
    return desk_of(consultation).post(path("save", consultation), data, headers=headers or {})


# --- the page -----------------------------------------------------------------------------------
def test_the_room_shows_the_case_and_the_history_and_is_written_down(clinic, rao):
    asha = a_patient(name="Asha Menon", age=41)
    earlier = in_the_room(clinic, rao, asha)
    actions.save_note(consultation=earlier, by=rao.user, diagnosis="Migraine")
    actions.complete(consultation=earlier, by=rao.user)
    waiting(clinic, asha, complaint="Headache again", allergies="Penicillin")
    consultation = called(clinic, rao)
    page = desk_of(consultation).get(path("doctors_room", consultation))
    assert page.status_code == 200
    for words in ["Asha Menon", "41", "Headache again", "Penicillin", "Migraine",
                  "Called, not answered yet", "The patient has not come in yet."]:  # fmt: skip
        assert words in page.content.decode()
    read = AuditEvent.objects.get(action="consultation.read")
    assert (read.by, read.patient) == (rao.user, asha)


def test_the_room_costs_the_same_with_one_message_and_earlier_visit_as_with_three(clinic, rao):
    asha = a_patient()

    def one_more_visit() -> None:
        earlier = in_the_room(clinic, rao, asha)
        actions.save_note(consultation=earlier, by=rao.user, diagnosis="Cold")
        actions.complete(consultation=earlier, by=rao.user)

    def cost(messages: int) -> int:
        consultation = in_the_room(clinic, rao, asha)
        prescribed(consultation)
        for n in range(messages):
            actions.post_message(
                consultation=consultation, by=asha.account, client_id=uuid_of(n), text="Hello"
            )
        queries = queries_of(desk_of(consultation), path("doctors_room", consultation))
        actions.complete(consultation=consultation, by=rao.user)
        return queries

    one_more_visit()
    with_one = cost(1)
    one_more_visit()
    assert cost(3) == with_one


def uuid_of(n: int) -> str:
    return f"00000000-0000-4000-8000-{n:012d}"


# --- notes and medicines ------------------------------------------------------------------------
def test_the_button_saves_notes_and_medicines(consultation):
    day = timezone.localdate() + timedelta(days=7)
    response = save(
        consultation, PARACETAMOL, None, findings="Throat red", follow_up_on=day.isoformat()
    )
    assert response.url == path("doctors_room", consultation)
    note = Note.objects.get()
    assert (note.findings, note.diagnosis, note.follow_up_on) == ("Throat red", "Viral fever", day)
    draft = consultation.prescriptions.get()
    assert [line.generic for line in draft.lines.all()] == ["Paracetamol"]
    assert "Paracetamol" in desk_of(consultation).get(response.url).content.decode()


def test_the_page_saves_by_itself_and_is_told_how_it_went(consultation):
    nameless = PARACETAMOL.__class__("", "tablet", "500 mg", "1", "tds", 3)
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    assert save(consultation, PARACETAMOL, headers=QUIETLY).status_code == 200
    assert (
        save(consultation, PARACETAMOL, nameless, headers=QUIETLY, findings="Kept").status_code
        == 202
    )
    assert Note.objects.get().findings == "Kept"
    assert consultation.prescriptions.get().lines.get().generic == "Paracetamol"
    assert save(consultation, headers=QUIETLY, follow_up_on=yesterday).status_code == 202
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    refused = save(consultation, PARACETAMOL, headers=QUIETLY, findings="Too late")
    assert (refused.status_code, refused.json()["code"]) == (409, "ended")
    assert Note.objects.get().findings == "Kept"


def test_a_row_that_is_half_written_keeps_no_other_from_being_saved(consultation):
    nameless = PARACETAMOL.__class__("", "tablet", "500 mg", "1", "tds", 3)
    ibuprofen = PARACETAMOL.__class__("Ibuprofen", "tablet", "400 mg", "1", "bd", 2)
    save(consultation, PARACETAMOL)
    assert save(consultation, nameless, ibuprofen, initial=1, headers=QUIETLY).status_code == 202
    assert [line.generic for line in consultation.prescriptions.get().lines.all()] == ["Ibuprofen"]
    refused = save(consultation, nameless, ibuprofen, initial=1, issue="1")
    assert refused.status_code == 422
    assert "Write the generic name, or empty the row." in refused.content.decode()
    assert consultation.prescriptions.get().state == "draft"


def test_a_row_that_is_emptied_is_no_medicine_any_more(consultation):
    ibuprofen = PARACETAMOL.__class__("Ibuprofen", "tablet", "400 mg", "1", "bd", 2)
    save(consultation, PARACETAMOL, ibuprofen)
    assert save(consultation, None, ibuprofen, initial=2, headers=QUIETLY).status_code == 200
    assert [line.generic for line in consultation.prescriptions.get().lines.all()] == ["Ibuprofen"]
    assert save(consultation, None, None, initial=2).status_code == 302
    assert consultation.prescriptions.count() == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"generic": ""}, "Write the generic name, or empty the row."),
        ({"days": "0"}, "Between 1 and 180 days."),
        ({"days": "181"}, "Between 1 and 180 days."),
        ({"days": "many"}, "Enter a whole number."),
        ({"strength": ""}, "This field is required."),
        ({"frequency": "hourly"}, "Select a valid choice."),
    ],
)
def test_a_row_that_is_not_right_is_shown_again_with_the_reason(consultation, change, told):
    data = a_doctors_form(PARACETAMOL, findings="Throat red")
    data |= {f"lines-0-{name}": value for name, value in change.items()}
    page = desk_of(consultation).post(path("save", consultation), data | {"issue": "1"})
    assert page.status_code == 422
    assert told in page.content.decode()
    assert "Throat red" in page.content.decode()
    assert Note.objects.get().findings == "Throat red"
    assert consultation.prescriptions.count() == 0


def test_forty_one_medicines_are_too_many(consultation):
    page = save(consultation, *[PARACETAMOL] * 41)
    assert page.status_code == 422
    assert "Please submit at most 40 forms." in page.content.decode()
    assert consultation.prescriptions.count() == 0


def test_a_follow_up_in_the_past_and_a_broken_form_are_refused(consultation):
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    page = save(consultation, follow_up_on=yesterday)
    assert page.status_code == 422
    assert "The follow-up lies in the past." in page.content.decode()
    broken = desk_of(consultation).post(path("save", consultation), {"lines-TOTAL_FORMS": "x"})
    assert broken.status_code == 422


def test_before_the_patient_came_in_nothing_is_written(clinic, rao):
    waiting(clinic)
    consultation = called(clinic, rao)
    assert save(consultation, PARACETAMOL).url == "/doctor/"
    assert Note.objects.count() == 0


# --- finishing ----------------------------------------------------------------------------------
def test_one_press_finishes_and_calls_the_next_of_the_same_line(clinic, rao, consultation):
    on_duty(a_clinic(), rao)  # whose line is not asked
    following = waiting(clinic)
    assert save(consultation, finish="next").url == "/doctor/"
    consultation.refresh_from_db()
    following.refresh_from_db()
    assert consultation.state == Consultation.State.COMPLETED
    assert (following.doctor, following.token.state) == (rao, Token.State.CALLED)
    assert AuditEvent.objects.filter(action="consultation.call", by=rao.user).count() == 2
    desk = desk_of(consultation).get("/doctor/").content.decode()
    assert path("doctors_room", following) in desk
    # Once more: who came in meanwhile is not passed by, and nobody else is called.
    third = waiting(clinic)
    assert save(consultation, finish="next").url == "/doctor/"
    assert Token.objects.get(pk=third.token_id).state == Token.State.WAITING


def test_who_pauses_calls_nobody_by_finishing(clinic, rao, consultation):
    following = waiting(clinic)
    queues.pause_duty(doctor=rao)
    client = desk_of(consultation)
    answer = client.post(path("save", consultation), a_doctors_form(finish="next"), follow=True)
    assert "or you are paused" in answer.content.decode()
    consultation.refresh_from_db()
    assert consultation.state == Consultation.State.COMPLETED
    assert Token.objects.get(pk=following.token_id).state == Token.State.WAITING


def test_nobody_is_called_before_the_consultation_has_ended(clinic, consultation):
    following = waiting(clinic)
    answer = save(consultation, PARACETAMOL, finish="next")
    assert answer.status_code == 409  # the medicines are not issued yet
    assert Token.objects.get(pk=following.token_id).state == Token.State.WAITING


def test_finishing_ends_the_consultation_and_frees_the_doctor(clinic, consultation):
    assert save(consultation, finish="1").url == "/doctor/"
    consultation.refresh_from_db()
    assert (consultation.state, consultation.token.state) == ("completed", "done")
    waiting(clinic)
    assert called(clinic, consultation.doctor).token.number == 2
    again = save(consultation, finish="1")
    assert again.url == "/doctor/"


def test_medicines_that_are_not_issued_keep_the_consultation_open(consultation):
    page = save(consultation, PARACETAMOL, finish="1")
    assert page.status_code == 409
    assert "The medicines are not issued yet." in page.content.decode()
    consultation.refresh_from_db()
    assert consultation.state == "in_progress"
    assert save(consultation, None, initial=1, finish="1").url == "/doctor/"
    consultation.refresh_from_db()
    assert consultation.state == "completed"
    assert consultation.prescriptions.count() == 0


def test_after_the_end_nothing_is_edited(consultation):
    by = consultation.doctor.user
    actions.complete(consultation=consultation, by=by)
    for late in (
        lambda: actions.save_note(consultation=consultation, by=by, diagnosis="Else"),
        lambda: actions.save_lines(consultation=consultation, by=by, lines=[PARACETAMOL]),
        lambda: actions.revise_prescription(consultation=consultation, by=by),
        lambda: actions.complete(consultation=consultation, by=by),
        lambda: actions.leave(consultation=consultation, by=consultation.patient.account),
    ):
        with pytest.raises(MoveRefused):
            late()


def test_an_answer_is_for_the_doctor_who_was_seen_calling(clinic, rao):
    waiting(clinic)
    seen = Consultation.objects.with_people().get(pk=called(clinic, rao).pk)
    actions.pass_over(consultation=seen, by=rao.user)
    again = called(clinic, on_duty(clinic))
    with pytest.raises(MoveRefused):
        actions.begin(consultation=seen, by=seen.patient.account)
    assert actions.begin(consultation=again, by=seen.patient.account).doctor == again.doctor


# --- returning ----------------------------------------------------------------------------------
@pytest.mark.parametrize("comes_in", [True, False])
def test_a_request_is_returned_with_a_reason_before_or_in_the_talk(clinic, rao, comes_in):
    waiting(clinic)
    consultation = called(clinic, rao)
    if comes_in:
        actions.begin(consultation=consultation, by=consultation.patient.account)
    data = {"return-reason": "wrong_speciality", "return-words": "Please see a skin doctor."}
    response = desk_of(consultation).post(path("send_back", consultation), data)
    assert response.url == "/doctor/"
    consultation.refresh_from_db()
    assert (consultation.state, consultation.end_reason) == ("returned", "wrong_speciality")
    assert consultation.end_words == "Please see a skin doctor."
    assert consultation.token.state == ("done" if comes_in else "left")
    assert Message.objects.filter(template__key="returned").count() == 1
    again = desk_of(consultation).post(path("send_back", consultation), data, follow=True)
    assert "The consultation had ended already." in again.content.decode()
    assert Message.objects.filter(template__key="returned").count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {"return-reason": "", "return-words": "Go"},
        {"return-reason": "no_show", "return-words": "Go"},
        {"return-reason": "other", "return-words": ""},
    ],
)
def test_a_request_is_not_returned_without_reason_and_words(consultation, data):
    page = desk_of(consultation).post(path("send_back", consultation), data)
    assert page.status_code == 422
    assert 'class="error"' in page.content.decode()
    consultation.refresh_from_db()
    assert (consultation.state, consultation.token.state) == ("in_progress", "serving")


# --- the past -----------------------------------------------------------------------------------
def test_the_past_shows_the_doctors_own_and_costs_the_same_for_one_as_for_three(clinic, rao):
    das = on_duty(clinic, a_doctor())

    def one_more(doctor, diagnosis: str) -> None:
        consultation = in_the_room(clinic, doctor)
        actions.save_note(consultation=consultation, by=doctor.user, diagnosis=diagnosis)
        actions.complete(consultation=consultation, by=doctor.user)

    desk = as_staff(rao.user)
    assert "None yet." in desk.get(PAST).content.decode()
    one_more(rao, "Migraine")
    one_more(das, "Scabies")
    page = desk.get(PAST).content.decode()
    assert ("Migraine" in page, "Scabies" in page) == (True, False)
    with_one = queries_of(desk, PAST)
    one_more(rao, "Cold")
    one_more(rao, "Cough")
    assert queries_of(desk, PAST) == with_one
    assert AuditEvent.objects.filter(action="consultations.list", by=rao.user).exists()


def test_what_the_doctor_saw_stays_readable_after_the_end(consultation):
    issued = prescribed(consultation)
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    page = desk_of(consultation).get(path("doctors_room", consultation)).content.decode()
    for words in ["Completed", "Viral fever", "Paracetamol", issued.number]:
        assert words in page
    assert 'name="issue"' not in page
    assert Token.objects.get().state == "done"
