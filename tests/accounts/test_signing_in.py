"""Signing in with a code: the pages, the limits of guessing, and what never leaks."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.gates import PHONE_BACKEND
from accounts.models import AuditEvent, CodeRefused, Message, PhoneDevice, User
from accounts.models.devices import CODE_LIFE, LOCK
from tests.at_once import at_once
from tests.factories import a_state, a_user, as_patient, code_sent_to, without_csrf

PHONE = "+919876543210"
NOT_RIGHT = "This code is not right. Look at the newest SMS and try again."
NO_LONGER_VALID = "This code is no longer valid. Ask for a new one."
LOCKED = "Too many wrong codes. For your safety this number can sign in again in 15 minutes."

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _texts(db):
    a_state()


def asked(phone=PHONE, **data) -> Client:
    """A browser that asked for a code."""
    browser = Client()
    assert browser.post("/sign-in/", {"phone": phone, **data}).status_code == 302
    return browser


def typed(browser, code, **data):
    return browser.post("/sign-in/code/", {"code": code, **data})


def wrong(code=None) -> str:
    """Six digits that are not the code."""
    return f"{(int(code or code_sent_to(PHONE)) + 1) % 1_000_000:06d}"


def later() -> None:
    """The pause after a wrong code is over."""
    PhoneDevice.objects.update(next_try_at=timezone.now())


def is_signed_in(browser) -> bool:
    return SESSION_KEY in browser.session


# --- the way in ---------------------------------------------------------------------------------
def test_a_right_code_makes_the_account():
    browser = asked()
    assert User.objects.count() == 0  # a number alone is nobody yet

    answer = typed(browser, code_sent_to(PHONE))

    assert (answer.status_code, answer["Location"]) == (302, "/")
    user = User.objects.get()
    assert (user.phone, user.language, user.has_usable_password()) == (PHONE, "en", False)
    assert browser.session[BACKEND_SESSION_KEY] == PHONE_BACKEND
    (noted,) = AuditEvent.objects.all()
    assert (noted.action, noted.by, noted.target) == ("account.sign_in", user, f"user:{user.pk}")


def test_the_second_time_it_is_the_same_account_and_the_notice_is_not_asked_again():
    user = a_user(phone=PHONE)
    answer = typed(asked(), code_sent_to(PHONE))
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert User.objects.get() == user
    assert AuditEvent.objects.get(action="account.sign_in").by == user


def test_the_sms_speaks_the_language_of_the_page():
    browser = Client(headers={"Accept-Language": "hi"})
    browser.post("/sign-in/", {"phone": PHONE})
    sms = Message.objects.get()
    assert (sms.template.language, sms.is_secret) == ("hi", True)
    typed(browser, code_sent_to(PHONE))
    assert User.objects.get().language == "hi"


def test_a_code_may_be_typed_in_devanagari_and_with_spaces():
    browser = asked()
    digits = code_sent_to(PHONE).translate(str.maketrans("0123456789", "०१२३४५६७८९"))
    assert typed(browser, f" {digits[:3]} {digits[3:]} ").status_code == 302
    assert is_signed_in(browser)


def test_the_code_is_kept_only_as_a_hash_that_needs_the_pepper(settings):
    browser = asked()
    code = code_sent_to(PHONE)
    assert re.fullmatch("[0-9a-f]{64}", PhoneDevice.objects.get().code_hash)
    settings.CODE_PEPPER = "another"
    assert typed(browser, code).status_code == 422


def test_the_back_button_leads_on_when_one_is_signed_in_already():
    browser = as_patient(a_user())
    for page in ("/sign-in/", "/sign-in/code/"):
        answer = browser.get(page, {"next": "/patients/"})
        assert (answer.status_code, answer["Location"]) == (302, "/patients/")


def test_the_code_page_without_a_number_starts_over_and_keeps_where_one_wanted_to_go():
    browser = Client()
    for answer in (
        browser.get("/sign-in/code/?next=/book/"),
        typed(browser, "123456", next="/book/"),
        browser.post("/sign-in/resend/", {"next": "/book/"}),
    ):
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=%2Fbook%2F")


def test_a_number_written_into_the_cookie_by_hand_is_not_believed():
    browser = asked()
    browser.cookies["phone"] = browser.cookies["phone"].value.replace("3210", "3211")
    assert browser.get("/sign-in/code/")["Location"] == "/sign-in/"


def test_signing_out_ends_the_session():
    browser = as_patient(a_user())
    assert browser.post("/sign-out/")["Location"] == "/"
    assert not is_signed_in(browser)
    assert browser.post("/sign-out/").status_code == 302


def test_other_methods_are_refused(client):
    refused = {
        "/sign-in/": ["put", "delete"],
        "/sign-in/code/": ["put", "delete"],
        "/sign-in/resend/": ["get", "put"],
        "/sign-out/": ["get", "put"],
        "/privacy/": ["put", "delete"],
    }
    for path, methods in refused.items():
        assert [getattr(client, method)(path).status_code for method in methods] == [405, 405]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\thttps://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_site(wanted):
    a_user(phone=PHONE)
    browser = asked(next=wanted)
    assert typed(browser, code_sent_to(PHONE), next=wanted)["Location"] == "/"
    for page in ("/sign-in/", "/sign-in/code/"):
        assert browser.get(page, {"next": wanted})["Location"] == "/"
    assert browser.post("/privacy/", {"next": wanted})["Location"] == "/"


def test_after_signing_in_one_is_sent_to_the_page_one_wanted():
    a_user(phone=PHONE)
    browser = Client()
    answer = browser.post("/sign-in/", {"phone": PHONE, "next": "/book/?clinic=3&state=32"})
    assert answer["Location"] == "/sign-in/code/?next=%2Fbook%2F%3Fclinic%3D3%26state%3D32"
    assert 'name="next" value="/book/?clinic=3&amp;state=32"' in browser.get(answer.url).text
    answer = typed(browser, code_sent_to(PHONE), next="/book/?clinic=3&state=32")
    assert answer["Location"] == "/book/?clinic=3&state=32"


def test_a_secure_page_does_not_lead_to_an_insecure_one():
    browser = as_patient(a_user())
    answer = browser.get("/sign-in/", {"next": "http://testserver/patients/"}, secure=True)
    assert answer["Location"] == "/"


# --- codes that do not sign in ------------------------------------------------------------------
def test_a_wrong_code_says_so_and_the_right_one_still_works():
    browser = asked()
    answer = typed(browser, wrong())
    assert answer.status_code == 422
    assert NOT_RIGHT in answer.text
    assert not is_signed_in(browser)
    assert typed(browser, code_sent_to(PHONE)).status_code == 302


def test_what_has_not_six_digits_is_no_try():
    browser = asked()
    for nothing in ("12345", "1234567", "abcdef", ""):
        assert typed(browser, nothing).status_code == 422
    assert "The code has 6 digits." in typed(browser, "12345").text
    assert PhoneDevice.objects.get().tries == 0


def test_a_code_works_for_five_minutes_and_no_longer():
    browser = asked()
    code = code_sent_to(PHONE)
    PhoneDevice.objects.update(sent_at=timezone.now() - CODE_LIFE)
    answer = typed(browser, code)
    assert (CODE_LIFE, answer.status_code) == (timedelta(minutes=5), 422)
    assert NO_LONGER_VALID in answer.text

    PhoneDevice.objects.update(sent_at=timezone.now() - CODE_LIFE + timedelta(seconds=20))
    assert typed(browser, code).status_code == 302


def test_a_code_works_once():
    first, second = asked(), Client()
    second.cookies = first.cookies.copy()
    code = code_sent_to(PHONE)
    assert typed(first, code).status_code == 302
    answer = typed(second, code)
    assert answer.status_code == 422
    assert NO_LONGER_VALID in answer.text
    assert not is_signed_in(second)


def test_a_code_opens_only_the_number_it_was_sent_to():
    asked()
    other = asked("+919876543211")
    code = code_sent_to(PHONE)
    if code != code_sent_to("+919876543211"):  # once in a million it is the same
        assert typed(other, code).status_code == 422


def test_a_second_tap_sends_neither_number_nor_code_again():
    """The code works once, and a browser shows the last of two answers: the refusal."""
    for page in (Client().get("/sign-in/"), asked().get("/sign-in/code/")):
        assert '<button class="button big" data-once>' in page.text
        assert "js/forms" in page.text


def test_a_new_code_replaces_the_old_one():
    browser = asked()
    old = code_sent_to(PHONE)
    answer = browser.post("/sign-in/resend/", {"next": "/book/"})
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/sign-in/code/?sent=1&next=%2Fbook%2F",
    )
    assert "The old one no longer works." in browser.get(answer["Location"]).text
    new = code_sent_to(PHONE)
    if old != new:
        assert typed(browser, old).status_code == 422
    assert typed(browser, new).status_code == 302


@pytest.mark.usefixtures("one_moment")
def test_wrong_codes_slow_down_and_a_try_that_was_too_fast_does_not_count():
    browser = asked()
    for _try in range(2):
        assert typed(browser, wrong()).status_code == 422
    answer = typed(browser, code_sent_to(PHONE))
    assert answer.status_code == 429
    assert re.search(r"That was too fast\. Wait \d seconds? and try again\.", answer.text)
    assert PhoneDevice.objects.get().tries == 2
    later()
    assert typed(browser, code_sent_to(PHONE)).status_code == 302


def test_the_fifth_wrong_code_locks_the_number_for_a_quarter_of_an_hour():
    browser = asked()
    statuses = []
    for _try in range(5):
        answer = typed(browser, wrong())
        statuses.append(answer.status_code)
        later()
    assert statuses == [422, 422, 422, 422, 429]
    assert LOCKED in answer.text

    sent = Message.objects.count()
    for refused in (
        typed(browser, code_sent_to(PHONE)),  # the right one
        browser.post("/sign-in/resend/"),
        Client().post("/sign-in/", {"phone": PHONE}),
    ):
        assert refused.status_code == 429
        assert LOCKED in refused.text
    assert Message.objects.count() == sent

    PhoneDevice.objects.update(locked_until=timezone.now(), sent_at=timezone.now() - LOCK)
    assert NO_LONGER_VALID in typed(browser, code_sent_to(PHONE)).text
    assert typed(asked(), code_sent_to(PHONE)).status_code == 302


def test_an_account_that_was_closed_is_not_opened_by_a_right_code():
    a_user(phone=PHONE, is_active=False)
    browser = asked()
    answer = typed(browser, code_sent_to(PHONE))
    assert answer.status_code == 422
    assert NO_LONGER_VALID in answer.text
    assert not is_signed_in(browser)
    assert not AuditEvent.objects.filter(action="account.sign_in").exists()


def test_a_known_and_an_unknown_number_get_the_same_answers_byte_for_byte():
    def answers():
        browser = Client()
        shown = [browser.post("/sign-in/", {"phone": PHONE})]
        shown += [browser.get("/sign-in/code/"), typed(browser, "000000")]
        return [(one.status_code, dict(one.items()), without_csrf(one)) for one in shown]

    unknown = answers()
    user = a_user(phone=PHONE)
    PhoneDevice.objects.update(user=user)
    assert answers() == unknown
    User.objects.update(is_active=False)
    assert answers() == unknown


def test_it_costs_few_queries(django_assert_num_queries):
    browser = Client()
    on_postgresql = connection.vendor == "postgresql"  # in which one statement has several steps
    with django_assert_num_queries(2 if on_postgresql else 5):
        browser.post("/sign-in/", {"phone": PHONE})
    code = code_sent_to(PHONE)
    with django_assert_num_queries(2 if on_postgresql else 8):
        typed(browser, code)


# --- the device ---------------------------------------------------------------------------------
def test_django_otp_may_ask_the_device_too():
    asked()
    device = PhoneDevice.objects.get()
    code = code_sent_to(PHONE)
    assert [device.verify_token(wrong()), device.verify_token(code)] == [False, True]
    assert device.verify_token(code) is False


def test_the_table_itself_holds_no_more_than_five_tries():
    asked()
    PhoneDevice.objects.update(tries=5)
    with pytest.raises(IntegrityError), transaction.atomic():
        PhoneDevice.objects.update(tries=6)


# --- at once ------------------------------------------------------------------------------------
def outcome(code) -> str:
    """Tries `code` until it is not refused for being too fast."""
    while True:
        later()
        try:
            actions.sign_in(phone=PHONE, code=code, language="en")
        except CodeRefused as refused:
            if refused.reason != "wait":
                return refused.reason
        else:
            return "in"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_thirty_guesses_at_once_are_five_tries():
    actions.send_code(phone=PHONE, language="en")
    guess = wrong()
    outcomes = Counter(at_once(30, lambda _n: outcome(guess)))
    assert outcomes == {"wrong": 4, "locked": 26}  # the fifth is told that it is locked now
    assert PhoneDevice.objects.get().tries == 5
    assert outcome(code_sent_to(PHONE)) == "locked"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_code_used_by_several_at_once_works_once():
    actions.send_code(phone=PHONE, language="en")
    code = code_sent_to(PHONE)
    outcomes = Counter(at_once(4, lambda _n: outcome(code)))
    assert outcomes == {"in": 1, "expired": 3}
    assert User.objects.count() == 1
    assert AuditEvent.objects.filter(action="account.sign_in").count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_double_click_of_somebody_new_sends_codes_and_refuses_nobody():
    def click(_n):
        return Client().post("/sign-in/", {"phone": PHONE}).status_code

    assert at_once(4, click) == [302] * 4
    assert PhoneDevice.objects.count() == 1
    assert Message.objects.filter(to=PHONE).count() == 4
