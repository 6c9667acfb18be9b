"""The outbox: each SMS is written with what made it necessary, sent once, and never forgotten."""

import logging
import os
import socketserver
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import tasks
from accounts.actions import deliver, queue_sms, sweep_messages
from accounts.models import Message, SmsTemplate
from accounts.models.messages import CLAIM_LEASE, MAX_ATTEMPTS
from accounts.seeding import sms_slots
from accounts.sms import MemoryBackend, SmsFailed
from tests.at_once import at_once
from tests.factories import a_state
from tests.running import ROOT, STARTS_WITHIN, Gateway, free_port, test_database_url

PHONE = "+919876543210"
CODE = "482913"
CODE_TEXT = f"Your code is {CODE}. It is valid for 5 minutes. Do not tell it to anybody."

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _texts(db):
    a_state()


@pytest.fixture(scope="module")
def _gateway():
    server = Gateway()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway(_gateway, settings):
    settings.SMS_BACKEND = "accounts.sms.HttpJsonBackend"
    settings.SMS_HTTP_URL = _gateway.url
    settings.SMS_HTTP_KEY = "key"
    _gateway.received.clear()
    _gateway.refuses = False
    return _gateway


def a_code(to=PHONE) -> Message:
    return queue_sms(to=to, key="otp", language="en", is_secret=True, code=CODE)


def a_notice(to=PHONE, language="en") -> Message:
    slots = dict.fromkeys(sms_slots("prescription"), "x")
    return queue_sms(to=to, key="prescription", language=language, **slots)


def now_due() -> None:
    Message.objects.update(due_at=timezone.now())


def lease_is_over() -> None:
    Message.objects.update(claimed_at=timezone.now() - CLAIM_LEASE - timedelta(seconds=1))


def kept(message) -> tuple[str, int, str]:
    message.refresh_from_db()
    return message.state, message.attempts, message.text


# --- texts --------------------------------------------------------------------------------------
def test_a_text_is_a_registered_one_in_the_persons_language():
    assert a_notice(language="hi").template.language == "hi"
    assert a_code().text == CODE_TEXT


def test_a_language_without_a_text_gets_the_english_one():
    assert a_notice(language="ta").template.language == "en"
    SmsTemplate.objects.filter(key="prescription", language="hi").delete()
    assert a_notice(language="hi").template.language == "en"


def test_free_text_is_never_sent():
    with pytest.raises(SmsTemplate.DoesNotExist):
        queue_sms(to=PHONE, key="hello", language="en")
    with pytest.raises(KeyError):
        queue_sms(to=PHONE, key="otp", language="en")
    assert Message.objects.count() == 0


def test_a_text_stands_once_in_each_language():
    SmsTemplate.objects.create(key="otp", language="ta", text="{code}")
    with pytest.raises(IntegrityError), transaction.atomic():
        SmsTemplate.objects.create(key="otp", language="en", text="{code}")


# --- written with its cause, sent after it ------------------------------------------------------
def test_it_is_sent_after_the_commit_and_only_then(settings, django_capture_on_commit_callbacks):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    with django_capture_on_commit_callbacks(execute=True):
        message = a_code()
        assert MemoryBackend.sent == []
    assert MemoryBackend.sent == [(PHONE, CODE_TEXT)]
    assert kept(message) == ("sent", 1, "")


def test_what_was_undone_sends_nothing(settings, django_capture_on_commit_callbacks):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        a_code()
        transaction.set_rollback(True)
    assert (Message.objects.count(), MemoryBackend.sent) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_with_the_broker_away_the_page_works_and_the_sweep_sends_later():
    page = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client(SERVER_NAME='127.0.0.1').post('/sign-in/', {'phone': '98765 43210'})\n"
        "print(answer.status_code, answer['Location'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", page],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "esanjeevani.settings",
            "DATABASE_URL": test_database_url(),
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
        },
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )
    assert done.stdout == "302 /sign-in/code/\n"
    assert "The broker is away" in done.stderr
    message = Message.objects.get()
    assert (message.to, message.state, message.attempts) == (PHONE, "queued", 0)

    tasks.sweep_messages()

    assert [to for to, _text in MemoryBackend.sent] == [PHONE]
    assert kept(message) == ("sent", 1, "")


# --- once ---------------------------------------------------------------------------------------
def test_a_second_send_of_the_same_row_is_refused():
    message = a_notice()
    assert [deliver(message.pk), deliver(message.pk)] == [True, False]
    tasks.deliver(message.pk)
    assert len(MemoryBackend.sent) == 1
    assert Message.claimed(message.pk) is None


def test_a_code_is_wiped_once_it_is_sent_and_a_notice_stays(settings):
    code, notice = a_code(), a_notice()
    assert sweep_messages() == 2
    assert MemoryBackend.sent == [(PHONE, CODE_TEXT), (PHONE, notice.text)]
    assert kept(code) == ("sent", 1, "")
    assert kept(notice) == ("sent", 1, notice.text)

    settings.DEMO = True  # there the code is read on a page
    shown = a_code()
    deliver(shown.pk)
    assert kept(shown) == ("sent", 1, CODE_TEXT)


def test_sent_and_the_time_of_it_go_together():
    message = a_notice()
    Message.objects.update(state="sent", sent_at=timezone.now())
    for broken in ({"sent_at": None}, {"state": "failed"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Message.objects.filter(pk=message.pk).update(**broken)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_one_row_for_eight_workers_is_sent_once():
    message = a_code()
    results = at_once(8, lambda _n: deliver(message.pk))
    assert Counter(results) == {False: 7, True: 1}
    assert MemoryBackend.sent == [(PHONE, CODE_TEXT)]
    assert kept(message) == ("sent", 1, "")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_sweeps_that_overlap_send_each_row_once():
    numbers = [f"+9198765{n:05d}" for n in range(20)]
    for number in numbers:
        a_notice(number)
    assert sum(at_once(4, lambda _n: sweep_messages())) == 20
    assert sorted(to for to, _text in MemoryBackend.sent) == numbers


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_mark_that_meets_a_dead_connection_is_made_and_nothing_is_sent_again(
    gateway, monkeypatch
):
    message = a_notice()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        mine = cursor.fetchone()[0]

    def cut() -> None:
        """In the gateway's thread: as a restart of PostgreSQL does it while the SMS is on its way."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
        connection.close()

    monkeypatch.setattr(gateway, "before_answering", cut)
    assert deliver(message.pk) is True
    assert kept(message) == ("sent", 1, message.text)
    assert len(gateway.received) == 1


# --- not this time ------------------------------------------------------------------------------
def test_it_reaches_the_gateway_as_json_with_its_registered_ids(gateway):
    SmsTemplate.objects.filter(key="otp").update(header="CLINIC", dlt_id="1107160000000000001")
    message = a_code()
    assert deliver(message.pk) is True
    assert gateway.received == [
        {
            "to": PHONE,
            "text": CODE_TEXT,
            "header": "CLINIC",
            "template_id": "1107160000000000001",
            "reference": str(message.pk),
        }
    ]


@pytest.mark.usefixtures("one_moment")
def test_a_gateway_that_refuses_with_200_is_asked_again_with_growing_pauses(gateway):
    gateway.refuses = True
    message = a_code()
    pauses = []
    for _attempt in range(MAX_ATTEMPTS - 1):
        assert deliver(message.pk) is False
        message.refresh_from_db()
        assert message.state == "queued"
        pauses.append(round((message.due_at - timezone.now()).total_seconds()))
        assert sweep_messages() == 0  # not yet
        now_due()
    assert pauses == [10, 20, 40, 80, 160, 320, 640]
    assert message.error == "{'type': 'error'}"
    assert message.text == CODE_TEXT

    assert deliver(message.pk) is False
    assert kept(message) == ("failed", MAX_ATTEMPTS, "")  # the code is not kept in vain
    gateway.refuses = False
    now_due()
    assert [deliver(message.pk), sweep_messages()] == [False, 0]
    assert gateway.received == []


def test_what_was_refused_once_goes_out_when_the_gateway_is_well(gateway):
    gateway.refuses = True
    message = a_notice()
    deliver(message.pk)
    gateway.refuses = False
    now_due()
    assert sweep_messages() == 1
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("sent", 2, "")
    assert len(gateway.received) == 1


@pytest.fixture
def broken_gateway(settings):
    """Answers every request with the bytes it is told."""

    class Request(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.wfile.write(server.answer)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Request)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    settings.SMS_BACKEND = "accounts.sms.HttpJsonBackend"
    settings.SMS_HTTP_URL = f"http://127.0.0.1:{server.server_address[1]}/"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", id="500"),
        pytest.param(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}", id="401"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<ok>", id="no JSON"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", id="no object"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", id="cut off"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="no HTTP"),
        pytest.param(b"", id="hung up"),
    ],
)
def test_whatever_a_broken_gateway_says_the_message_waits_for_another_try(broken_gateway, answer):
    broken_gateway.answer = answer
    message = a_notice()
    assert deliver(message.pk) is False
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 1)
    assert message.due_at > timezone.now()


@pytest.mark.parametrize(
    ("address", "error"),
    [("http://127.0.0.1:{nobody}/", "Connection refused"), ("", "unknown url type")],
)
def test_a_gateway_that_is_not_there_is_asked_again(settings, address, error):
    settings.SMS_BACKEND = "accounts.sms.HttpJsonBackend"
    settings.SMS_HTTP_URL = address.format(nobody=free_port())
    message = a_notice()
    assert deliver(message.pk) is False
    message.refresh_from_db()
    assert (message.state, error in message.error) == ("queued", True)


# --- somebody crashed ---------------------------------------------------------------------------
def test_a_claim_of_somebody_who_crashed_is_taken_over_after_the_lease():
    message = a_notice()
    assert Message.claimed(message.pk) == message  # and then the power went
    assert [Message.claimed(message.pk), deliver(message.pk), sweep_messages()] == [None, False, 0]
    lease_is_over()
    assert sweep_messages() == 1
    assert kept(message)[:2] == ("sent", 2)


def test_whoever_crashed_at_the_last_attempt_leaves_a_failure_that_is_seen():
    message = a_code()
    Message.objects.update(attempts=MAX_ATTEMPTS - 1)
    assert Message.claimed(message.pk) == message
    assert sweep_messages() == 0
    assert kept(message)[0] == "sending"
    lease_is_over()
    assert sweep_messages() == 0
    assert kept(message) == ("failed", MAX_ATTEMPTS, "")
    assert MemoryBackend.sent == []


def test_a_failure_that_comes_late_does_not_undo_what_another_has_sent():
    message = a_notice()
    Message.claimed(message.pk)
    lease_is_over()
    assert deliver(message.pk) is True
    message.mark_failed("timed out at last")
    assert kept(message)[0] == "sent"


class Choosy:
    """A backend with a bug: it crashes on one number and refuses another."""

    def send(self, message: Message) -> None:
        if message.to.endswith("1"):
            raise ZeroDivisionError
        if message.to.endswith("2"):
            raise SmsFailed("no")
        MemoryBackend().send(message)


def test_one_that_cannot_be_sent_does_not_hold_up_those_behind_it(settings):
    settings.SMS_BACKEND = f"{__name__}.Choosy"
    messages = [a_notice(f"+9198765432{n:02d}") for n in range(1, 5)]
    assert sweep_messages() == 2
    assert [kept(message)[0] for message in messages] == ["sending", "queued", "sent", "sent"]


# --- other backends -----------------------------------------------------------------------------
def test_the_console_shows_a_notice_and_never_a_code(settings, caplog):
    settings.SMS_BACKEND = "accounts.sms.ConsoleBackend"
    code, notice = a_code(), a_notice()
    with caplog.at_level(logging.INFO):
        assert [deliver(code.pk), deliver(notice.pk)] == [True, True]
    assert caplog.messages == [f"SMS to {PHONE}: (a code)", f"SMS to {PHONE}: {notice.text}"]
