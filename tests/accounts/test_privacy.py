"""The privacy notice: read by everybody, accepted once, remembered."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.actions import accept_notice
from accounts.models import AuditEvent, NoticeAcceptance, User
from accounts.notice import NOTICE_VERSION
from tests.factories import a_phone, a_user, as_patient, queries_of

AGREE = "I have read this and agree"

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(db):
    """Signed in, but has not seen the notice."""
    return User.objects.create(phone=a_phone())


def test_everybody_may_read_it_in_both_languages_and_nobody_is_asked_who_is_nobody():
    english = Client().get("/privacy/")
    hindi = Client(headers={"Accept-Language": "hi"}).get("/privacy/")
    assert (english.status_code, hindi.status_code) == (200, 200)
    assert "How we use your data" in english.text
    assert NOTICE_VERSION in english.text
    assert '<html lang="hi"' in hindi.text
    assert "How we use your data" not in hindi.text
    assert AGREE not in english.text


def test_until_it_is_accepted_every_page_of_a_patient_leads_to_it(newcomer):
    browser = as_patient(newcomer)
    for page in ("/patients/", "/patients/new/", "/book/", "/consultations/"):
        answer = browser.get(page)
        assert (answer.status_code, answer["Location"]) == (
            302,
            f"/privacy/?next={page.replace('/', '%2F')}",
        )
    assert browser.post("/patients/new/", {}).status_code == 302


def test_it_is_accepted_once_with_language_time_and_address(newcomer):
    browser = as_patient(newcomer)
    page = browser.get("/privacy/?next=/patients/")
    assert AGREE in page.text
    assert 'name="next" value="/patients/"' in page.text

    answer = browser.post(
        "/privacy/",
        {"next": "/patients/"},
        headers={"Accept-Language": "hi"},
        REMOTE_ADDR="192.0.2.7",
    )

    assert (answer.status_code, answer["Location"]) == (302, "/patients/")
    accepted = NoticeAcceptance.objects.get()
    assert (accepted.user, accepted.version, accepted.language, accepted.address) == (
        newcomer,
        NOTICE_VERSION,
        "hi",
        "192.0.2.7",
    )
    assert AuditEvent.objects.get(action="notice.accept").by == newcomer
    assert browser.get("/patients/").status_code == 200
    assert AGREE not in browser.get("/privacy/").text


def test_accepting_twice_is_accepting_once(newcomer):
    browser = as_patient(newcomer)
    assert [browser.post("/privacy/").status_code for _click in range(2)] == [302, 302]
    accept_notice(by=newcomer, language="hi")
    assert NoticeAcceptance.objects.get().language == "en"
    assert AuditEvent.objects.filter(action="notice.accept").count() == 1


def test_another_session_need_not_accept_again_and_asks_the_table_once(newcomer):
    accept_notice(by=newcomer, language="en")
    browser = as_patient(newcomer)
    assert browser.get("/patients/").status_code == 200
    NoticeAcceptance.objects.all().delete()
    assert browser.get("/patients/").status_code == 200
    assert queries_of(browser, "/patients/") == 3
    assert as_patient(newcomer).get("/patients/").status_code == 302


def test_an_older_version_does_not_count(newcomer):
    NoticeAcceptance.objects.create(user=newcomer, version="2020-01-01", language="en")
    browser = as_patient(newcomer)
    session = browser.session
    session["notice"] = "2020-01-01"
    session.save()
    assert browser.get("/patients/").status_code == 302
    assert AGREE in browser.get("/privacy/").text


def test_nobody_can_accept_for_nobody():
    answer = Client().post("/privacy/")
    assert answer.status_code == 200
    assert NoticeAcceptance.objects.count() == 0


def test_the_table_keeps_one_acceptance_of_a_version(newcomer):
    accept_notice(by=newcomer, language="en")
    NoticeAcceptance.objects.create(user=a_user(), version="2027-01-01", language="en")
    NoticeAcceptance.objects.create(user=newcomer, version="2027-01-01", language="en")
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeAcceptance.objects.create(user=newcomer, version=NOTICE_VERSION, language="hi")
