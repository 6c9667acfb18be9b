"""The talk: each message once, in order, by form and by JSON; nothing after the end, nothing lost."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from consult import actions
from consult.live.entrance import Entrance, entering
from consult.models import Attachment, ChatMessage, Consultation
from esanjeevani.sql.composed import together
from tests.at_once import at_once
from tests.constraints import taken
from tests.factories import (
    a_clinic,
    a_health_worker,
    a_hub,
    a_photo,
    an_upload,
    as_patient,
    as_staff,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
    queries_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def consultation() -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def path(name: str, consultation: Consultation) -> str:
    return reverse(f"consult:{name}", args=[consultation.uid])


def patient(consultation: Consultation):
    return as_patient(consultation.patient.account)


def doctor(consultation: Consultation):
    return as_staff(consultation.doctor.user)


def send(client, consultation: Consultation, text: str, client_id: uuid.UUID | None = None):
    data = {"client_id": str(client_id or uuid.uuid4()), "text": text}
    return client.post(path("messages", consultation), data, content_type="application/json")


def said(client, consultation: Consultation, after: object = 0) -> list[str]:
    answer = client.get(path("messages", consultation), {"after": after})
    assert answer.status_code == 200
    return [message["text"] for message in answer.json()]


def end(consultation: Consultation) -> None:
    actions.complete(consultation=consultation, by=consultation.doctor.user)


# --- JSON ---------------------------------------------------------------------------------------
def test_a_message_is_stored_answered_and_read_by_both_sides(consultation):
    sent = uuid.uuid4()
    answer = send(patient(consultation), consultation, "Since Monday", sent)
    assert answer.status_code == 201
    message = ChatMessage.objects.get()
    assert answer.json() == {
        "id": message.pk,
        "client_id": str(sent),
        "mine": True,
        "author": "Asha Menon",
        "text": "Since Monday",
        "at": answer.json()["at"],
        "file": None,
    }
    (read,) = doctor(consultation).get(path("messages", consultation)).json()
    assert (read["id"], read["mine"], read["text"]) == (message.pk, False, "Since Monday")
    event = AuditEvent.objects.get(action="message.post")
    assert (event.by, event.patient) == (consultation.patient.account, consultation.patient)


def test_the_same_message_sent_again_is_stored_once(consultation):
    sent = uuid.uuid4()
    answers = [send(patient(consultation), consultation, "Once", sent).json() for _ in range(3)]
    assert len({answer["id"] for answer in answers}) == 1
    assert ChatMessage.objects.count() == 1


def test_messages_come_in_order_and_from_where_the_page_left_off(consultation):
    asha, rao = patient(consultation), doctor(consultation)
    ids = [
        send(client, consultation, text).json()["id"]
        for client, text in [(asha, "one"), (rao, "two"), (asha, "three")]
    ]
    assert ids == sorted(ids)
    assert said(rao, consultation) == ["one", "two", "three"]
    assert said(rao, consultation, after=ids[0]) == ["two", "three"]
    assert said(rao, consultation, after=ids[2]) == []


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "²", "٣", "9" * 30, "9" * 5000])
def test_an_after_that_is_no_id_is_taken_as_it_can_be(consultation, after):
    send(patient(consultation), consultation, "one")
    answer = patient(consultation).get(path("messages", consultation), {"after": after})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"text": "Hello"},
        {"client_id": "1", "text": "Hello"},
        {"client_id": str(uuid.uuid4())},
        {"client_id": str(uuid.uuid4()), "text": ""},
        {"client_id": str(uuid.uuid4()), "text": " \n "},
        {"client_id": str(uuid.uuid4()), "text": "x" * 2001},
        {"client_id": str(uuid.uuid4()), "text": ["Hello"]},
        ["Hello"],
    ],
)
def test_a_message_that_is_none_is_refused_in_the_one_shape_of_errors(consultation, data):
    answer = patient(consultation).post(
        path("messages", consultation), data, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json().keys() == {"code", "message", "fields"}
    assert answer.json()["code"] == "invalid"
    assert ChatMessage.objects.count() == 0


def test_what_is_no_json_is_refused(consultation):
    client, address = patient(consultation), path("messages", consultation)
    for broken in ("{", '{"text": "a\\u0000b"}'):  # no database holds that character
        answer = client.post(address, broken, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    form = client.post(address, {"text": "Hello"})
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")


def test_a_message_without_the_forms_key_is_refused(consultation):
    client = patient(consultation)
    client.handler.enforce_csrf_checks = True
    answer = send(client, consultation, "Hello")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert ChatMessage.objects.count() == 0


def test_words_are_kept_as_they_are(consultation):
    for words in ("<script>alert(1)</script>", "सिर दर्द है 🤒", "a\nb", "{{ 7 }} %s"):
        assert send(patient(consultation), consultation, words).json()["text"] == words
    page = doctor(consultation).get(path("doctors_room", consultation)).content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "सिर दर्द है 🤒" in page


def test_after_the_end_a_message_is_refused_and_those_before_stay(consultation):
    send(patient(consultation), consultation, "Before")
    end(consultation)
    answer = send(patient(consultation), consultation, "After")
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "ended",
        "message": "The consultation has ended. The message was not sent.",
    }
    assert said(patient(consultation), consultation) == ["Before"]
    assert said(doctor(consultation), consultation) == ["Before"]


def test_a_message_that_was_stored_before_the_end_is_still_acknowledged(consultation):
    sent = uuid.uuid4()
    send(patient(consultation), consultation, "Just in time", sent)
    end(consultation)
    assert send(patient(consultation), consultation, "Just in time", sent).status_code == 201
    assert ChatMessage.objects.count() == 1


def test_reading_messages_is_written_down_and_finding_none_is_not(consultation):
    reads = AuditEvent.objects.filter(action="messages.read", patient=consultation.patient)
    assert said(doctor(consultation), consultation) == []
    assert reads.count() == 0
    send(patient(consultation), consultation, "Hello")
    assert said(doctor(consultation), consultation) == ["Hello"]
    assert reads.get().by == consultation.doctor.user


def test_reading_costs_the_same_for_one_message_as_for_three(consultation):
    client, address = patient(consultation), path("messages", consultation)
    send(client, consultation, "one")
    with_one = queries_of(client, address)
    room = queries_of(client, path("visit", consultation))
    send(client, consultation, "two")
    send(doctor(consultation), consultation, "three")
    assert queries_of(client, address) == with_one
    assert queries_of(client, path("visit", consultation)) == room


# --- many at once -------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_the_same_message_sent_at_once_is_stored_once():
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    sent = uuid.uuid4()

    def post(_tab: int) -> int:
        by = consultation.patient.account
        return actions.post_message(
            consultation=consultation, by=by, client_id=sent, text="Once"
        ).pk

    assert set(at_once(4, post)) == {ChatMessage.objects.get().pk}


def test_a_message_and_who_wrote_it_are_stored_in_one_statement(consultation):
    by = consultation.patient.account
    with CaptureQueriesContext(connection) as asked:
        message = actions.post_message(
            consultation=consultation, by=by, client_id=uuid.uuid4(), text="It itches"
        )
    if connection.vendor == "postgresql":  # SQLite does one after the other
        assert len(asked) == 1
    assert ChatMessage.objects.get().pk == message.pk
    written = AuditEvent.objects.get(action="message.post")
    assert (written.target, written.by, written.patient) == (
        f"message:{message.pk}", by, consultation.patient,
    )  # fmt: skip


# --- forms --------------------------------------------------------------------------------------
def post_form(client, consultation: Consultation, **data: object):
    data = {"client_id": str(uuid.uuid4()), **data}
    return client.post(path("post_message", consultation), data)


def test_without_javascript_a_form_does_the_same(consultation):
    answer = post_form(patient(consultation), consultation, text="By form")
    assert answer.url == path("visit", consultation)
    answer = post_form(doctor(consultation), consultation, text="I see")
    assert answer.url == path("doctors_room", consultation)
    assert said(patient(consultation), consultation) == ["By form", "I see"]
    assert "I see" in patient(consultation).get(path("visit", consultation)).content.decode()


def test_a_file_comes_with_or_without_words(consultation):
    client = patient(consultation)
    post_form(client, consultation, file=an_upload(a_photo(), "rash.png"))
    post_form(client, consultation, text="My foot", file=an_upload(a_photo(), "foot.png"))
    messages = client.get(path("messages", consultation)).json()
    assert [(m["text"], m["file"]["name"], m["file"]["is_image"]) for m in messages] == [
        ("", "rash.jpg", True),
        ("My foot", "foot.jpg", True),
    ]
    assert {a.message.pk for a in Attachment.objects.all()} == {m["id"] for m in messages}


def test_a_form_that_says_nothing_or_holds_a_bad_file_is_shown_again_with_its_words(consultation):
    client = patient(consultation)
    empty = post_form(client, consultation, text="  ")
    assert empty.status_code == 422
    assert "Write something or choose a file." in empty.content.decode()
    bad = post_form(client, consultation, text="Look", file=an_upload(b"<html>", "x.jpg"))
    assert bad.status_code == 422
    assert "This is neither a photo" in bad.content.decode()
    assert "Look" in bad.content.decode()
    odd = client.post(path("post_message", consultation), {"client_id": "1", "text": "Hi"})
    assert odd.status_code == 422
    assert ChatMessage.objects.count() == 0


def test_the_consultation_holds_so_many_files_and_no_more(consultation):
    account = consultation.patient.account
    Attachment.objects.bulk_create(
        Attachment(consultation=consultation, uploaded_by=account, name="x", kind="image/jpeg",
                   size=1, file="x")
        for _ in range(Attachment.PER_CONSULTATION)
    )  # fmt: skip
    page = post_form(
        patient(consultation), consultation, text="One more", file=an_upload(a_photo())
    )
    assert page.status_code == 422
    assert "There is room for 40 files only." in page.content.decode()
    assert ChatMessage.objects.count() == 0
    assert post_form(patient(consultation), consultation, text="Words go").status_code == 302


def test_after_the_end_a_form_is_told_so(consultation):
    end(consultation)
    client = patient(consultation)
    page = client.post(
        path("post_message", consultation),
        {"client_id": str(uuid.uuid4()), "text": "Late", "file": an_upload(a_photo())},
        follow=True,
    )
    assert "The consultation has ended. The message was not sent." in page.content.decode()
    assert ChatMessage.objects.count() == Attachment.objects.count() == 0


# --- what the database keeps --------------------------------------------------------------------
def test_the_database_keeps_each_message_once_and_none_that_says_nothing(consultation):
    sent, account = uuid.uuid4(), consultation.patient.account
    clinic = a_clinic()
    other = in_the_room(clinic, on_duty(clinic))

    def stored(**fields: object) -> bool:
        row = {"consultation": consultation, "author": account, "client_id": uuid.uuid4()}
        return taken(ChatMessage.objects.create, **row | fields)

    photo = Attachment.objects.create(
        consultation=consultation,
        uploaded_by=account,
        name="x",
        kind="image/jpeg",
        size=1,
        file="x",
    )
    assert stored(client_id=sent, text="Hello") is True
    assert stored(client_id=sent, text="Hello") is False
    assert stored(client_id=sent, text="Hello", consultation=other) is True
    assert stored(text="") is False
    assert stored(text="", attachment=photo) is True


# --- who may read it, as time goes on -------------------------------------------------------------
def entrance(consultation: Consultation, user: User) -> Entrance | None:
    return Entrance.of(together(entering(consultation.uid)(user.pk))[0])


def test_the_talk_closes_for_a_health_worker_at_the_end_of_the_post():
    meena = a_health_worker()
    clinic = a_hub(centre_of(meena))
    consultation = before_the_screen(meena, clinic, on_duty(clinic))
    address = path("messages", consultation)
    room = as_staff(meena)
    assert room.get(address).status_code == 200
    assert entrance(consultation, meena)
    meena.posts.update(ended_at=timezone.now())
    assert room.get(address).status_code == 404
    assert entrance(consultation, meena) is None
