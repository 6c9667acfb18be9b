"""The patient's side: waiting room, call, room, result, files, feedback, past consultations."""

import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from consult import actions
from consult.links import ShortId
from consult.models import Attachment, Consultation, Feedback
from consult.uploads import clean_upload
from queues.actions import keep_apart
from queues.models import Token
from tests.constraints import taken
from tests.factories import (
    a_clinic,
    a_draft,
    a_patient,
    a_pdf,
    a_photo,
    a_user,
    an_upload,
    as_patient,
    as_staff,
    called,
    gone,
    in_the_room,
    on_duty,
    prescribed,
    queries_of,
    refused_to,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def rao(clinic):
    return on_duty(clinic)


def path(name: str, consultation: Consultation, *more: object) -> str:
    return reverse(f"consult:{name}", args=[consultation.uid, *more])


def browser(consultation: Consultation):
    return as_patient(consultation.patient.account)


def see(consultation: Consultation) -> str:
    page = browser(consultation).get(path("visit", consultation))
    assert page.status_code == 200
    return page.content.decode()


def with_file(consultation: Consultation, content: bytes, name: str) -> Attachment:
    clean = clean_upload(an_upload(content, name))
    return clean.attach(consultation, consultation.patient.account)


# --- the waiting room ---------------------------------------------------------------------------
def test_the_waiting_room_shows_token_place_wait_and_doctors(clinic, rao):
    waiting(clinic)
    consultation = waiting(clinic)
    page = browser(consultation).get(path("visit", consultation))
    assert (page.context["token"].number, page.context["ahead"]) == (2, 1)
    assert page.context["doctors"] == 1
    assert (page.context["wait"].low, page.context["wait"].high) == (1, 11)
    assert "<strong data-ahead>1</strong>" in page.content.decode()


def test_who_was_parted_from_the_only_doctor_is_told_and_offered_other_clinics(clinic, rao):
    """Who of them reported whom is not said, and nobody else notices anything."""
    consultation, other = waiting(clinic), waiting(clinic)
    keep_apart(doctor=rao, patient=consultation.patient)
    elsewhere = a_clinic(name="Kollam General OPD", state=clinic.state)
    on_duty(elsewhere)
    closed_to_them = a_clinic(name="Kochi General OPD", state=clinic.state)
    on_duty(closed_to_them, rao)
    page = browser(consultation).get(path("visit", consultation))
    assert "No doctor here can see you at this moment. You keep your place" in page.text
    assert [one.clinic for one in page.context["others"]] == [elsewhere]
    assert reverse("consult:case", args=[consultation.patient.uid, elsewhere.uid]) in page.text
    page = browser(other).get(path("visit", other))
    assert (page.context["doctors"], page.context["others"]) == (1, [])
    assert "No doctor here can see you" not in page.text
    on_duty(clinic)
    page = browser(consultation).get(path("visit", consultation))
    assert page.context["doctors"] == 1
    assert "No doctor here can see you" not in page.text


def test_no_token_is_given_where_only_doctors_are_whom_the_patient_was_parted_from(clinic, rao):
    draft = a_draft(clinic)
    keep_apart(doctor=rao, patient=a_patient(draft.patient.account))
    answer = browser(draft).post(path("confirm", draft), {"consent": "on"})
    assert "No doctor is on duty here now" in answer.text
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_looking_at_the_waiting_room_makes_the_patient_present(clinic, rao):
    consultation = waiting(clinic)
    gone(consultation)
    assert Token.objects.present().count() == 0
    see(consultation)
    assert Token.objects.present().get() == consultation.token


def test_the_waiting_room_costs_the_same_with_one_in_the_line_as_with_three(clinic, rao):
    consultation = waiting(clinic)
    with_one = queries_of(browser(consultation), path("visit", consultation))
    waiting(clinic)
    waiting(clinic)
    assert queries_of(browser(consultation), path("visit", consultation)) == with_one


def test_without_a_doctor_it_says_so_and_keeps_the_place(clinic, rao):
    consultation = waiting(clinic)
    clinic.duties.update(ended_at=timezone.now())
    page = browser(consultation).get(path("visit", consultation))
    assert (page.context["doctors"], page.context["wait"], page.context["ahead"]) == (0, None, 0)


def test_a_called_patient_is_told_by_whom_and_answers(clinic, rao):
    consultation = waiting(clinic)
    called(clinic, rao)
    page = see(consultation)
    assert "The doctor is calling you" in page
    for words in ["Dr Raghav Rao", rao.registration_number, rao.council]:
        assert words in page
    answer = browser(consultation).post(path("answer", consultation))
    assert answer.url == path("visit", consultation)
    consultation.refresh_from_db()
    assert (consultation.state, consultation.doctor) == ("in_progress", rao)
    assert consultation.token.state == "serving"
    assert "With the doctor" in see(consultation)


def test_answering_twice_or_when_nobody_calls_changes_nothing(clinic, rao):
    consultation = waiting(clinic)
    page = browser(consultation).post(path("answer", consultation), follow=True)
    assert "The call is over. You keep your place" in page.content.decode()
    assert Token.objects.get().state == "waiting"
    called(clinic, rao)
    for _click in range(2):
        browser(consultation).post(path("answer", consultation))
    assert Token.objects.get().state == "serving"
    began = AuditEvent.objects.filter(action="consultation.begin")
    assert began.count() == 1


@pytest.mark.parametrize("state", ["waiting", "called"])
def test_leaving_gives_the_place_up(clinic, rao, state):
    consultation = waiting(clinic)
    if state == "called":
        called(clinic, rao)
    for _click in range(2):
        response = browser(consultation).post(path("leave", consultation))
        assert response.url == path("visit", consultation)
    consultation.refresh_from_db()
    assert (consultation.state, consultation.end_reason) == ("cancelled", "left")
    assert consultation.token.state == "left"
    assert "You left the line" in see(consultation)


def test_nobody_leaves_from_the_room(clinic, rao):
    consultation = in_the_room(clinic, rao)
    page = browser(consultation).post(path("leave", consultation), follow=True)
    assert "This is no longer possible." in page.content.decode()
    consultation.refresh_from_db()
    assert (consultation.state, consultation.token.state) == ("in_progress", "serving")


@pytest.mark.parametrize("button", ["answer", "leave", "post_message", "feedback"])
def test_buttons_of_later_do_nothing_to_a_draft_nor_to_one_thrown_away(clinic, button):
    draft = a_draft(clinic)
    typed = {"client_id": str(uuid.uuid4()), "text": "Hello", "stars": "5"}
    for state in ("draft", "cancelled"):
        assert browser(draft).post(path(button, draft), typed).status_code == 302
        assert Consultation.objects.get().state == state
        if state == "draft":
            actions.discard_draft(consultation=draft, by=draft.patient.account)
    assert draft.messages.count() == Feedback.objects.count() == 0


def test_a_missed_call_is_told_on_the_page(clinic, rao):
    consultation = waiting(clinic)
    called(clinic, rao)
    consultation.refresh_from_db()
    actions.pass_over(consultation=consultation, by=rao.user)
    assert "You missed a call." in see(consultation)


# --- the result ---------------------------------------------------------------------------------
def test_the_result_shows_the_doctor_the_prescription_and_the_talk(clinic, rao):
    consultation = in_the_room(clinic, rao)
    issued = prescribed(consultation)
    actions.complete(consultation=consultation, by=rao.user)
    page = see(consultation)
    for words in ["The consultation is complete", rao.registration_number, issued.number,
                  "Paracetamol", "Viral fever"]:  # fmt: skip
        assert words in page


def test_a_returned_request_says_why_and_what_to_do(clinic, rao):
    consultation = in_the_room(clinic, rao)
    actions.return_consultation(
        consultation=consultation, by=rao.user, reason="needs_in_person", words="Go to the PHC."
    )
    page = see(consultation)
    assert "The doctor returned your request" in page
    assert "A doctor must see you in person" in page
    assert "Go to the PHC." in page
    assert "Your prescription is ready" not in page


def test_what_was_prescribed_before_a_return_stays_in_reach(clinic, rao):
    consultation = in_the_room(clinic, rao)
    issued = prescribed(consultation)
    actions.return_consultation(
        consultation=consultation, by=rao.user, reason="needs_in_person", words="Go to the PHC."
    )
    page = see(consultation)
    assert issued.number in page
    assert path("prescription_pdf", consultation) in page


# --- feedback -----------------------------------------------------------------------------------
def completed(clinic, rao) -> Consultation:
    consultation = in_the_room(clinic, rao)
    return actions.complete(consultation=consultation, by=rao.user)


def test_stars_and_words_are_kept_and_can_be_sent_again(clinic, rao):
    consultation = completed(clinic, rao)
    client = browser(consultation)
    for stars, words in [(2, "Waited long"), (4, "But good")]:
        response = client.post(path("feedback", consultation), {"stars": stars, "words": words})
        assert response.url == path("visit", consultation)
    feedback = Feedback.objects.get()
    assert (feedback.stars, feedback.words) == (4, "But good")


@pytest.mark.parametrize("stars", ["", "0", "6", "many"])
def test_other_stars_are_refused(clinic, rao, stars):
    consultation = completed(clinic, rao)
    page = browser(consultation).post(path("feedback", consultation), {"stars": stars})
    assert page.status_code == 422
    assert Feedback.objects.count() == 0


def test_feedback_comes_after_the_end(clinic, rao):
    consultation = in_the_room(clinic, rao)
    browser(consultation).post(path("feedback", consultation), {"stars": "5"})
    assert Feedback.objects.count() == 0


def test_the_database_keeps_one_to_five_stars(clinic, rao):
    consultation = completed(clinic, rao)

    put = partial(Feedback.objects.create, consultation=consultation)
    assert [taken(put, stars=stars) for stars in (0, 6, 1, 1)] == [False, False, True, False]


# --- files --------------------------------------------------------------------------------------
def test_a_file_goes_to_patient_and_doctor_and_never_runs(clinic, rao):
    consultation = in_the_room(clinic, rao)
    report = with_file(consultation, a_pdf(), "रिपोर्ट.pdf")
    for client in (browser(consultation), as_staff(rao.user)):
        response = client.get(path("file", consultation, report.uid))
        assert b"".join(response.streaming_content).startswith(b"%PDF-")
        assert response.headers["Content-Type"] == "application/pdf"
        assert response.headers["Content-Disposition"].startswith("attachment;")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "private, no-store"
    reads = AuditEvent.objects.filter(action="attachment.read", target=f"attachment:{report.uid}")
    assert {event.by for event in reads} == {consultation.patient.account, rao.user}


def test_a_file_is_stored_out_of_reach_of_the_web_and_under_no_name_of_the_sender(clinic, rao):
    consultation = in_the_room(clinic, rao)
    photo = with_file(consultation, a_photo(), "../../../static/evil.html.jpg")
    stored = Path(photo.file.path).resolve()
    assert Path(settings.MEDIA_ROOT).resolve() in stored.parents
    served = [settings.STATIC_ROOT, *settings.STATICFILES_DIRS]
    assert [root for root in served if Path(root).resolve() in stored.parents] == []
    assert "evil" not in str(stored)
    assert stored.stat().st_mode & 0o077 == 0
    client = browser(consultation)
    for address in (f"/{photo.file.name}", f"/unused/{photo.file.name}",
                    f"/static/{photo.file.name}", f"/static/../{photo.file.name}"):  # fmt: skip
        assert client.get(address).status_code == 404


def test_a_file_under_another_consultation_of_mine_is_not_there_and_audited(clinic, rao):
    theirs = in_the_room(clinic, rao)
    report = with_file(theirs, a_pdf(), "report.pdf")
    mine = a_draft(clinic)
    assert browser(mine).get(path("file", mine, report.uid)).status_code == 404
    assert browser(mine).post(path("remove_file", mine, report.uid)).status_code == 404
    assert refused_to(mine.patient.account) == [f"attachment:{report.uid}"] * 2
    assert Attachment.objects.get() == report


# --- lists and links ----------------------------------------------------------------------------
def test_the_list_shows_the_accounts_own_consultations_newest_first(clinic, rao):
    account = a_user()
    first = waiting(clinic, a_patient(account, name="Asha Menon"))
    second = waiting(clinic, a_patient(account, name="Ravi Menon"))
    waiting(clinic, a_patient(name="Somebody Else"))
    Consultation.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=1))
    page = as_patient(account).get("/consultations/")
    assert list(page.context["consultations"]) == [second, first]
    assert "Somebody Else" not in page.content.decode()


def test_the_list_is_empty_before_the_first(clinic):
    assert "None yet." in as_patient(a_user()).get("/consultations/").content.decode()


def test_the_list_costs_the_same_for_one_as_for_three(clinic, rao):
    account = a_user()
    waiting(clinic, a_patient(account))
    client = as_patient(account)
    with_one = queries_of(client, "/consultations/")
    waiting(clinic, a_patient(account))
    waiting(clinic, a_patient(account))
    assert queries_of(client, "/consultations/") == with_one


def test_the_short_link_of_an_sms_opens_nothing_without_signing_in(client, clinic, rao):
    consultation = waiting(clinic)
    link = f"/r/{ShortId().to_url(consultation.uid)}"
    assert client.get(link).url == f"/sign-in/?next={link}"
    assert browser(consultation).get(link).url == path("visit", consultation)
    assert as_patient(a_user()).get(link).status_code == 404
    assert client.get("/r/----------------------").status_code in (302, 404)


def test_every_page_asks_for_the_privacy_notice_first(clinic, rao):
    consultation = waiting(clinic)
    account = consultation.patient.account
    account.acceptances.all().delete()
    response = browser(consultation).get(path("visit", consultation))
    assert response.url == f"/privacy/?next={path('visit', consultation).replace('/', '%2F')}"


def test_the_account_of_a_doctor_sees_only_the_own_side(clinic, rao):
    """A doctor who signed in by SMS is a patient like any other."""
    consultation = in_the_room(clinic, rao)
    with_code_only = as_patient(rao.user)
    assert (
        with_code_only.get(reverse("consult:messages", args=[consultation.uid])).status_code == 404
    )
    assert refused_to(rao.user) == [f"consultation:{consultation.uid}"]
