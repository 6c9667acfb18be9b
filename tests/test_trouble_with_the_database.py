"""Connections that are cut, a database that is away, a clock that is not the database's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.urls import reverse

from accounts import tasks
from accounts.actions import queue_sms
from accounts.models import Message
from accounts.seeding import sms_slots
from esanjeevani.clock import Clock, clock
from tests.factories import a_clinic, a_state, on_duty, waiting
from tests.running import ROOT, STARTS_WITHIN, Site, browser_of, free_port

CUT_ALL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def cut_all_others() -> None:
    """As a restart of PostgreSQL leaves them: the other end of every connection is gone."""
    with connection.cursor() as cursor:
        cursor.execute(CUT_ALL_OTHERS)


@pytest.mark.postgresql
@pytest.mark.redis
def test_after_a_restart_no_page_meets_a_dead_connection(site: Site) -> None:
    clinic = a_clinic()
    on_duty(clinic)
    consultation = waiting(clinic)
    path = reverse("consult:visit", args=[consultation.uid])
    with browser_of(consultation.patient.account, site.url) as patient:
        assert [patient.get(path).status_code for _time in range(4)] == [200] * 4
        cut_all_others()
        assert [patient.get(path).status_code for _time in range(4)] == [200] * 4


def test_without_the_database_people_and_programs_are_told_to_try_again() -> None:
    pages = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "browser = Client(SERVER_NAME='127.0.0.1', raise_request_exception=False)\n"
        "for path in ('/sign-in/', '/api/v1/sign-in/code/'):\n"
        "    answer = browser.post(path, {'phone': '98765 43210'}, headers={'Accept-Language': 'en'})\n"
        "    print(answer.status_code, answer.headers['Retry-After'], answer.content.decode()[:60])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", pages],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "esanjeevani.settings",
            "DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/none",
            "DATABASE_POOL": "",
        },
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )
    page, api = done.stdout.split("\n503 ", 1)
    assert page.startswith("503 5 <!doctype html>"), done.stderr[-2000:]
    assert api.startswith('5 {"code": "unavailable", "message": "Something went wrong')


# --- the clock --------------------------------------------------------------------------------------
@pytest.fixture
def three_hours_ahead(monkeypatch) -> Iterator[None]:
    here = time.time
    monkeypatch.setattr(time, "time", lambda: here() + 3 * 3600)
    yield
    monkeypatch.undo()
    clock.is_right()  # looks again, because the clock was set


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_clock_that_is_set_is_noticed_at_once_and_again_when_it_is_right(monkeypatch) -> None:
    mine, here = Clock(), time.time
    assert mine.is_right()
    for wrong in (-3 * 3600, 11, 3 * 3600):
        monkeypatch.setattr(time, "time", lambda ahead=wrong: here() + ahead)
        assert not mine.is_right(), wrong
        monkeypatch.setattr(time, "time", here)
        assert mine.is_right()


@pytest.mark.postgresql
@pytest.mark.django_db
def test_with_a_wrong_clock_there_is_no_page_and_no_task(three_hours_ahead, client) -> None:
    a_state()
    slots = dict.fromkeys(sms_slots("prescription"), "x")
    queue_sms(to="+919876543210", key="prescription", language="en", **slots)
    refused = client.get("/")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "down", "clock": "wrong"})
    tasks.sweep_messages()
    assert Message.objects.get().state == "queued"
