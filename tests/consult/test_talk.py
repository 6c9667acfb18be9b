"""The talk over real sockets: whoever shows it is told the words, read once for each process."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings as project
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AccountSession, AuditEvent
from consult import actions
from consult.live.signalling import BURST, COST_OF_WRITING
from consult.models import ChatMessage, Consultation
from esanjeevani.asgi import application
from esanjeevani.live.database import in_database
from tests.factories import a_clinic, a_doctor, in_the_room, on_duty
from tests.open_pages import Page, page, patients_page, room
from tests.running import SOON, Site, browser_of, session_of

CSRF = "a" * 32


def talk(consultation: Consultation) -> str:
    return f"{room(consultation)}?talk"


def says(person: httpx.Client, consultation: Consultation, text: str, client_id: str = "") -> int:
    """The message's id."""
    person.cookies.set("csrftoken", CSRF, domain="127.0.0.1")
    answer = person.post(
        reverse("consult:messages", args=[consultation.uid]),
        json={"client_id": client_id or str(uuid.uuid4()), "text": text},
        headers={"X-CSRFToken": CSRF},
    )
    assert answer.status_code == 201
    return int(answer.json()["id"])


@pytest.fixture
def consultation(site: Site) -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


@pytest.fixture
def asha(site: Site, consultation) -> Iterator[httpx.Client]:
    with browser_of(consultation.patient.account, site.url) as phone:
        yield phone


@pytest.fixture
def rao(site: Site, consultation) -> Iterator[httpx.Client]:
    with browser_of(consultation.doctor.user, site.urls[-1], staff=True) as desk:
        yield desk


def test_each_side_is_told_the_words_and_what_came_before(site: Site, consultation, asha, rao):
    with (
        page(site.urls[0], talk(consultation), consultation.patient.account) as patient,
        page(site.urls[-1], talk(consultation), consultation.doctor.user, staff=True) as doctor,
    ):
        for one in (patient, doctor):
            assert one.hear("hello")["message"] == 0
        first = says(asha, consultation, "<b>सिर</b> दर्द")
        second = says(rao, consultation, "Since when?")
        heard = [one.hear("message") for one in (patient, patient, doctor, doctor)]
    told = [(one["id"], one["after"], one["text"], one["mine"]) for one in heard]
    words = [(first, 0, "<b>सिर</b> दर्द"), (second, first, "Since when?")]
    assert told[:2] == [(*words[0], True), (*words[1], False)]
    assert told[2:] == [(*words[0], False), (*words[1], True)]
    fetched = asha.get(reverse("consult:messages", args=[consultation.uid])).json()
    for one, same in zip(heard[:2], fetched, strict=True):
        assert one == same | {"type": "message", "after": one["after"]}


def writes(one: Page, text: str, client_id: str = "") -> str:
    """Up the socket; the id that the page gave it."""
    client_id = client_id or str(uuid.uuid4())
    one.socket.send(json.dumps({"say": "write", "client_id": client_id, "text": text}))
    return client_id


def test_what_is_written_up_the_socket_is_told_as_what_was_posted_and_stored_once(
    site: Site, consultation, asha
):
    account, doctor = consultation.patient.account, consultation.doctor.user
    with (
        page(site.urls[0], talk(consultation), account) as patient,
        page(site.urls[-1], talk(consultation), doctor, staff=True) as desk,
    ):
        client_id = writes(patient, "  सिर दर्द ")
        heard = [one.hear("message") for one in (patient, desk)]
        writes(patient, "the same again", client_id)
        writes(desk, "Since when?")
        assert patient.hear("message")["text"] == "Since when?"
    assert [(one["client_id"], one["text"], one["mine"]) for one in heard] == [
        (client_id, "सिर दर्द", True),
        (client_id, "सिर दर्द", False),
    ]
    assert says(asha, consultation, "posted too", client_id) == heard[0]["id"]
    assert consultation.messages.count() == 2
    posted = AuditEvent.objects.filter(action="message.post").order_by("pk")
    assert [(one.by, one.patient, one.address) for one in posted] == [
        (account, consultation.patient, "127.0.0.1"),
        (doctor, consultation.patient, "127.0.0.1"),
    ]


def test_what_the_socket_does_not_take_is_said_to_the_page_at_once(site: Site, consultation):
    account = consultation.patient.account
    session = session_of(account)
    with (
        page(site.url, talk(consultation), account) as patient,
        page(site.url, talk(consultation), session=session) as elsewhere,
    ):
        for client_id, text in [("no uuid", "x"), (str(uuid.uuid4()), "  ")]:
            writes(patient, text, client_id)
            assert patient.hear("unsent")["client_id"] == client_id
        AccountSession.objects.filter(session_key=session).delete()  # and nobody announced it
        client_id = writes(elsewhere, "Who am I?")
        assert elsewhere.hear("unsent")["client_id"] == client_id
        actions.complete(consultation=consultation, by=consultation.doctor.user)
        late = writes(patient, "One thing more")
        assert patient.hear("unsent")["client_id"] == late
    assert not consultation.messages.exists()


def test_too_many_messages_at_once_are_said_to_be_unsent(site: Site, consultation):
    with page(site.url, talk(consultation), consultation.patient.account) as patient:
        told: dict[str, Any] = {}
        while told.get("type") != "unsent":  # a slow server takes so many, one after the other
            written = [writes(patient, "Hello") for _ in range(BURST // COST_OF_WRITING + 6)]
            while told.get("type") != "unsent" and told.get("client_id") != written[-1]:
                told = json.loads(patient.socket.recv(timeout=SOON))
        assert told["client_id"] in written
        assert consultation.messages.exists()


def test_who_shows_no_talk_and_who_is_no_part_of_it_is_told_no_words(
    site: Site, consultation, asha
):
    das = on_duty(consultation.clinic, a_doctor())
    elsewhere = in_the_room(consultation.clinic, das)
    with (
        patients_page(site.url, consultation) as reader,
        page(site.url, talk(elsewhere), das.user, staff=True) as other,
        browser_of(das.user, site.url, staff=True) as desk,
    ):
        for one in (reader, other):
            one.hear("hello")
        sent = says(asha, consultation, "A secret")
        assert reader.hear("message") == {"type": "message", "id": sent}
        says(desk, elsewhere, "In another room")
        assert other.hear("message")["text"] == "In another room"


def test_who_was_told_is_written_down_and_from_where(site: Site, consultation, asha):
    with page(site.url, talk(consultation), consultation.doctor.user, staff=True) as doctor:
        doctor.hear("hello")
        says(asha, consultation, "Hello")
        doctor.hear("message")
    read = AuditEvent.objects.get(action="messages.read")
    assert (read.by, read.patient) == (consultation.doctor.user, consultation.patient)
    assert (read.target, read.address) == (f"consultation:{consultation.uid}", "127.0.0.1")


def test_who_was_told_what_came_up_a_socket_is_written_down_once(site: Site, consultation):
    account, doctor = consultation.patient.account, consultation.doctor.user
    with (
        page(site.url, talk(consultation), account) as patient,
        page(site.url, talk(consultation), doctor, staff=True) as desk,
    ):
        for one in (patient, desk):
            one.hear("hello")
        for text in ("Hello", "Hello?"):
            writes(patient, text)
            assert [one.hear("message")["text"] for one in (patient, desk)] == [text, text]
    read = AuditEvent.objects.filter(action="messages.read")
    target = f"consultation:{consultation.uid}"
    assert [(one.by, one.patient, one.target, one.address) for one in read] == [
        (doctor, consultation.patient, target, "127.0.0.1")
    ] * 2


def test_who_is_out_of_the_room_is_told_no_word_more(site: Site, consultation, asha):
    """The patient was put back and is with another doctor; the first one's page stays open."""
    das = on_duty(consultation.clinic, a_doctor())
    with page(site.url, talk(consultation), consultation.doctor.user, staff=True) as doctor:
        doctor.hear("hello", state="in_progress")
        Consultation.objects.filter(pk=consultation.pk).update(state="requested", doctor=None)
        doctor.hear("now", state="requested")
        Consultation.objects.filter(pk=consultation.pk).update(state="in_progress", doctor=das)
        says(asha, consultation, "For Dr Das alone")
        assert doctor.closed_with() == 4401
    assert not AuditEvent.objects.filter(
        action="messages.read", by=consultation.doctor.user
    ).exists()


@pytest.mark.django_db(transaction=True)
def test_one_statement_reads_it_for_all_pages_of_a_process(settings):
    settings.IN_MEMORY = True
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    account, doctor = consultation.patient.account, consultation.doctor.user
    people = [(account, False), (account, False), (doctor, True)]
    pages = [
        WebsocketCommunicator(
            application,
            talk(consultation),
            [
                (b"cookie", f"{project.SESSION_COOKIE_NAME}={session_of(user, staff)}".encode()),
                (b"origin", project.SITE_URL.encode()),
            ],
        )
        for user, staff in people
    ]

    def post(text: str) -> None:
        actions.post_message(
            consultation=consultation, by=account, client_id=uuid.uuid4(), text=text
        )

    def capture() -> CaptureQueriesContext:
        return CaptureQueriesContext(connections["default"]).__enter__()

    async def hear(one: WebsocketCommunicator) -> dict[str, Any]:
        while True:
            message = await one.receive_json_from(SOON)
            if message["type"] == "message":
                return message

    async def scene() -> list[str]:
        for one in pages:
            assert await one.connect(timeout=SOON) == (True, None)
            assert (await one.receive_json_from(SOON))["type"] == "hello"
        await in_database(post, "warm")
        await asyncio.gather(*map(hear, pages))
        asked = await in_database(capture)
        await in_database(post, "Once for all")
        heard = await asyncio.gather(*map(hear, pages))
        await in_database(asked.__exit__, None, None, None)
        for one in pages:
            await one.disconnect(timeout=SOON)
        await in_database(connections.close_all)
        assert [message["text"] for message in heard] == ["Once for all"] * 3
        assert [message["mine"] for message in heard] == [True, True, False]
        return [query["sql"] for query in asked]

    statements = asyncio.run(scene())
    table = f'FROM "{ChatMessage._meta.db_table}"'
    assert len([sql for sql in statements if table in sql and "LIMIT 2" in sql]) == 1
    reads = AuditEvent.objects.filter(action="messages.read")
    assert set(reads.values_list("by", flat=True)) == {doctor.pk}
