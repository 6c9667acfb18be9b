"""What a process puts together once: it comes out as Django's own does, for all and in each language."""

import asyncio
import json
import re
import subprocess
import sys
import uuid
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from django.core.exceptions import SynchronousOnlyOperation
from django.db import OperationalError, connection, transaction
from django.middleware.csrf import CSRF_ALLOWED_CHARS, _unmask_cipher_token
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.actions.asking import token_counted
from accounts.actions.keys import issue_token
from accounts.gates import DOCTOR_OF, POSTS_OF
from accounts.models import AccountSession, Post
from accounts.session_store import WITH_POSTS, SessionStore, account_of_session
from esanjeevani.memory import BETWEEN_LOOKS
from esanjeevani.rendering.form_key import form_key
from esanjeevani.rendering.kept import kept
from esanjeevani.sql.prepared import ask
from tests.factories import a_doctor, a_facility, a_health_worker, a_user, as_patient, as_staff
from tests.running import ROOT, STARTS_WITHIN


def test_a_part_that_is_kept_is_in_the_language_in_force_and_for_its_values():
    said = {}
    for role, language in (("doctor", "en"), ("doctor", "hi"), ("patient", "en"), ("doctor", "en")):
        with override(language):
            said[role, language] = str(kept("consult/_call_words.html", role=role, at_centre=""))
    assert "The patient is not on the page" in said["doctor", "en"]
    assert "The doctor comes in a moment" in said["patient", "en"]
    assert "The patient is not on the page" not in said["doctor", "hi"]
    assert "The doctor comes in a moment" not in said["doctor", "hi"]


def test_a_forms_key_is_the_cookies_secret_under_another_mask_each_time():
    request = RequestFactory().get("/")
    first = form_key(request)
    secret = request.META["CSRF_COOKIE"]
    keys = {form_key(request) for _time in range(100)}
    assert len(keys) == 100
    assert {_unmask_cipher_token(key) for key in keys | {first}} == {secret}
    used = {letter for key in keys for letter in key[:32]}
    assert used == set(CSRF_ALLOWED_CHARS)


@pytest.mark.django_db
def test_a_form_is_taken_with_the_key_of_its_page_and_not_with_another():
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/sign-in/").text
    (key,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
    typed = {"phone": "no number", "csrfmiddlewaretoken": key}
    assert browser.post("/sign-in/", typed).status_code == 422
    assert browser.post("/sign-in/", typed | {"csrfmiddlewaretoken": key[::-1]}).status_code == 403


@pytest.mark.django_db
def test_the_secret_of_forms_is_sent_again_to_guests_and_not_to_whoever_is_signed_in():
    guest, asha = Client(), as_patient(a_user())
    for browser, path, again in (guest, "/sign-in/", True), (asha, "/privacy/", False):
        assert settings.CSRF_COOKIE_NAME in browser.get(path).cookies
        assert (settings.CSRF_COOKIE_NAME in browser.get(path).cookies) is again


@pytest.mark.django_db
def test_nobody_waits_for_the_database_in_an_event_loop():
    ask("SELECT 1")

    async def ask_there():
        ask("SELECT 1")

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(ask_there())


@pytest.mark.django_db
def test_a_session_its_account_and_its_second_factor_are_one_statement():
    browser = as_staff(a_doctor().user)
    browser.get("/doctor/")
    with CaptureQueriesContext(connection) as asked:
        assert browser.get("/doctor/").status_code == 200
    about = [one["sql"] for one in asked if "otp_totp" in one["sql"] or "_user" in one["sql"]]
    assert len([sql for sql in about if "accountsession" in sql]) == 1
    assert [sql for sql in about if "otp_totp" in sql and "accountsession" not in sql] == []


@pytest.mark.django_db
def test_what_a_gate_asks_of_its_person_comes_with_the_session():
    """The doctor with their speciality, the health worker's centre with its state and district."""
    doctor, worker = a_doctor(), a_health_worker()
    hidden = uuid.uuid4()
    for user, path in (
        (doctor.user, f"/doctor/consultations/{hidden}/"),
        (doctor.user, "/api/v1/drugs/typed/?q=para"),
        (worker, f"/centre/consultations/{hidden}/"),
    ):
        browser = as_staff(user)
        browser.get(path)
        with CaptureQueriesContext(connection) as asked:
            browser.get(path)
        about = [one["sql"] for one in asked if ABOUT_A_PERSON.search(one["sql"])]
        assert len(about) == 1


ABOUT_A_PERSON = re.compile(
    "FROM .accounts_(accountsession|user|doctor|speciality|post|facility|state|district)."
)


@pytest.mark.django_db
def test_the_posts_that_come_with_a_session_are_those_that_are_open_now():
    now, day = timezone.now(), timedelta(days=1)
    worker = a_health_worker(a_facility(name="Ward 9"))
    centres = {name: a_facility(name=name) for name in ("Alappuzha", "Ended", "To come", "Hub")}
    post = partial(Post.objects.create, user=worker)
    post(facility=centres["Alappuzha"], role=Post.Role.HEALTH_WORKER, ended_at=now + day)
    post(
        facility=centres["Ended"], role=Post.Role.HEALTH_WORKER, started_at=now - day, ended_at=now
    )
    post(facility=centres["To come"], role=Post.Role.HEALTH_WORKER, started_at=now + day)
    post(facility=centres["Hub"], role=Post.Role.DOCTOR)
    key = as_staff(worker).session.session_key

    session = SessionStore(key)
    session.reads = WITH_POSTS
    session.load()
    came = account_of_session.get().centres
    assert came == [one.facility for one in POSTS_OF.all(user=worker.pk, now=timezone.now())]
    assert [centre.name for centre in came] == ["Alappuzha", "Ward 9"]
    with CaptureQueriesContext(connection) as asked:
        assert {centre.state.name for centre in came} == {"Kerala"}
    assert len(asked) == 0


@pytest.mark.django_db
def test_a_session_that_was_written_by_django_stays_open():
    browser = as_staff(a_doctor().user)
    row = AccountSession.objects.get()
    row.session_data = signing.dumps(
        json.loads(row.session_data),
        salt=SessionStore().key_salt,
        serializer=JSONSerializer,
        compress=True,
    )
    row.save()
    assert browser.get("/doctor/").status_code == 200


@pytest.mark.django_db
def test_a_session_that_was_opened_before_it_named_its_device_stays_open():
    browser = as_staff(a_doctor().user)
    assert AccountSession.objects.update(device=None) == 1
    assert browser.get("/doctor/").status_code == 200


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_what_is_only_read_is_asked_again_where_the_connection_was_cut():
    doctor = a_doctor()
    assert DOCTOR_OF.first(user=doctor.user_id) == doctor
    cut()
    assert DOCTOR_OF.first(user=doctor.user_id) == doctor
    key = issue_token(user=doctor.user, device="phone")[1]
    cut()
    token, counted = token_counted(key, None)
    assert (token.user, counted.seconds) == (doctor.user, 0)
    with pytest.raises(OperationalError):
        in_a_transaction_that_is_cut(doctor)


@transaction.atomic
def in_a_transaction_that_is_cut(doctor) -> None:
    DOCTOR_OF.first(user=doctor.user_id)
    cut()
    DOCTOR_OF.first(user=doctor.user_id)  # not asked again: what was done before it is gone


def cut() -> None:
    """The server ends this thread's connection, and has done so when this returns."""
    name = {"dbname": connection.settings_dict["NAME"]}
    with psycopg.connect(settings.DATABASE_URL, **name, autocommit=True) as other:
        pid = connection.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])


@pytest.mark.parametrize("application", ["wsgi", "asgi"])
def test_a_process_that_serves_does_not_look_for_garbage_in_itself(application):
    loaded = LOADED.format(application)
    done = subprocess.run(
        [sys.executable, "-c", loaded],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )
    kept, *between = map(int, done.stdout.split())
    assert kept > 100_000
    assert tuple(between) == BETWEEN_LOOKS


LOADED = """
import gc
import esanjeevani.{}
print(gc.get_freeze_count(), *gc.get_threshold())
"""


SAMPLES = {
    "UUIDConverter": uuid.uuid4(),
    "IntConverter": 7,
    "SlugConverter": "a1",
    "ShortId": uuid.uuid4(),
}


def pages(patterns, kwargs=(), space=""):
    """Every page that has a name, with a sample of what its address holds."""
    for one in patterns:
        held = {
            **dict(kwargs),
            **{n: SAMPLES.get(type(c).__name__, "x") for n, c in one.pattern.converters.items()},
        }
        if hasattr(one, "url_patterns"):
            inner = f"{one.namespace}:" if one.namespace else space
            yield from pages(one.url_patterns, held, inner)
        elif one.name:
            yield f"{space}{one.name}", held, one.callback


def test_no_page_stands_before_another():
    others = {"admin", "fhir"}
    ours = [one for one in get_resolver().url_patterns if vars(one).get("namespace") not in others]
    named = list(pages(ours))
    for name, kwargs, view in named:
        found = resolve(reverse(name, kwargs=kwargs))
        assert (name, kind_of(found.func)) == (name, kind_of(view))
        assert kwargs.items() <= found.kwargs.items()
    assert len(named) > 150


def kind_of(view):
    """The class of a view that is one, else the function."""
    return getattr(view, "view_class", view)


@pytest.mark.django_db
def test_a_page_says_in_which_language_it_is_and_by_what_that_was_chosen():
    browser = as_patient(a_user())
    for asked, said in (("hi", "hi"), ("ta, hi;q=0.5", "hi"), ("fr", "en")):
        page = browser.get("/patients/", headers={"Accept-Language": asked})
        assert (page["Content-Language"], f'lang="{said}"' in page.text) == (said, True)
        assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))


def test_an_end_of_the_api_is_found_without_trying_the_pages():
    tried = resolve(reverse("consult_api:consultations")).tried

    elsewhere = [first for first, *_inside in tried if str(first.pattern) != "api/v1/"]
    assert [one.lookup_str for one in elsewhere] == ["esanjeevani.views.home"]
