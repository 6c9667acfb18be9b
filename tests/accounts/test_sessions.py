"""Sessions: one per browser, renewed at sign-in, gone when they end, and never somebody else's."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.utils import timezone

from accounts.actions import sweep_old
from accounts.models import AccountSession
from tests.factories import a_patient, a_state, a_user, as_patient, code_sent_to, queries_of

COOKIE = settings.SESSION_COOKIE_NAME
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

pytestmark = pytest.mark.django_db


def key_of(browser) -> str:
    return browser.cookies[COOKIE].value


def same_browser(browser) -> Client:
    """A second tab, or somebody who copied the cookie."""
    other = Client()
    other.cookies[COOKIE] = key_of(browser)
    return other


def test_a_session_names_its_account_and_is_read_together_with_it():
    user = a_user()
    browser = as_patient(user)
    assert AccountSession.objects.get(pk=key_of(browser)).account == user
    assert queries_of(browser, "/") == 1


def test_the_key_is_a_new_one_after_signing_in():
    a_state()
    user = a_user()
    browser = Client()
    session = browser.session
    session["from"] = "before"
    session.save()
    planted = session.session_key
    browser.cookies[COOKIE] = planted
    browser.post("/sign-in/", {"phone": user.phone})
    browser.post("/sign-in/code/", {"code": code_sent_to(user.phone)})
    assert key_of(browser) != planted
    assert browser.session["from"] == "before"
    assert not AccountSession.objects.filter(pk=planted).exists()


def test_two_sessions_have_two_keys_that_nobody_guesses():
    keys = {key_of(as_patient(a_user())) for _n in range(5)}
    assert len(keys) == 5
    assert {len(key) for key in keys} == {32}


def test_each_request_is_that_of_its_own_session():
    asha, meena = a_user(), a_user()
    a_patient(asha, name="Asha Menon")
    a_patient(meena, name="Meena Nair")
    for browser, name, other in [
        (as_patient(asha), "Asha Menon", "Meena Nair"),
        (as_patient(meena), "Meena Nair", "Asha Menon"),
        (as_patient(asha), "Asha Menon", "Meena Nair"),
    ]:
        page = browser.get("/patients/").text
        assert (name in page, other in page) == (True, False)
    assert Client().get("/patients/").status_code == 302


def test_signing_out_ends_it_in_every_tab():
    browser = as_patient(a_user())
    tab = same_browser(browser)
    assert tab.get("/patients/").status_code == 200
    browser.post("/sign-out/")
    assert tab.get("/patients/").status_code == 302
    assert AccountSession.objects.count() == 0


def test_a_request_under_way_does_not_bring_an_ended_session_back():
    browser = as_patient(a_user())
    under_way = SessionStore(key_of(browser))
    under_way["notice"] = "accepted"
    browser.post("/sign-out/")
    with pytest.raises(UpdateError):
        under_way.save()
    assert AccountSession.objects.count() == 0


def test_an_old_or_made_up_key_opens_nothing_and_is_not_adopted():
    browser = as_patient(a_user())
    AccountSession.objects.update(expire_date=timezone.now())
    assert browser.get("/patients/").status_code == 302

    made_up = Client()
    made_up.cookies[COOKIE] = "a" * 32
    assert made_up.get("/patients/").status_code == 302
    written = SessionStore("a" * 32)
    written["notice"] = "accepted"
    written.save()
    assert written.session_key != "a" * 32
    assert not AccountSession.objects.filter(pk="a" * 32).exists()


def test_sessions_that_ended_are_swept_away():
    kept, old = as_patient(a_user()), as_patient(a_user())
    AccountSession.objects.filter(pk=key_of(old)).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    sweep_old()
    assert [row.pk for row in AccountSession.objects.all()] == [key_of(kept)]


def test_looking_around_leaves_no_session_behind():
    browser = Client()
    for page in ("/", "/sign-in/", "/privacy/", "/staff/sign-in/"):
        assert browser.get(page).status_code == 200
    assert AccountSession.objects.count() == 0
    assert COOKIE not in browser.cookies
