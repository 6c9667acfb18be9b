"""How often something may be done: per number, per address, exactly."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions import sweep_old
from accounts.actions.signing_in import CODES_PER_ADDRESS, CODES_PER_NUMBER, TRIES_PER_ADDRESS
from accounts.models import Message, PhoneDevice, RateLimit
from accounts.secrets import keyed_hash
from tests.at_once import at_once
from tests.factories import a_doctor, a_phone, a_state, code_sent_to

HOUR = timedelta(hours=1)
TOO_MANY = re.compile(r"Too many tries\. Try again in \d+ minutes?\.")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_moment")]


@pytest.fixture(autouse=True)
def _texts(db):
    a_state()


def hit(who="asha", what="codes to", limit=2):
    return RateLimit.hit(what, who, limit=limit, window=HOUR)


def used_up(what, who, times) -> None:
    """As if `who` had done it `times` times in this window already."""
    hit(who, what)
    RateLimit.objects.filter(key=keyed_hash(what, who)).update(hits=times)


def asked(phone):
    return Client().post("/sign-in/", {"phone": phone})


def test_within_the_limit_it_says_nothing_and_beyond_it_how_long_to_wait():
    assert [hit(), hit()] == [0, 0]
    assert 0 < hit() <= 3600


def test_everybody_and_everything_has_a_limit_of_its_own():
    used_up("codes to", "asha", 9)
    assert hit() > 0
    assert [hit("meena"), hit(what="tries from")] == [0, 0]


def test_with_the_next_window_it_starts_anew():
    used_up("codes to", "asha", 9)
    RateLimit.objects.update(window_at=timezone.now() - HOUR)
    assert hit() == 0


def test_the_table_tells_neither_number_nor_address():
    phone = a_phone()
    asked(phone)
    keys = list(RateLimit.objects.values_list("key", flat=True))
    assert sorted(keys) == sorted(
        [keyed_hash("codes to", phone), keyed_hash("codes from", "127.0.0.1")]
    )


def test_a_number_gets_five_codes_an_hour_and_then_a_sentence():
    phone = a_phone()
    assert [asked(phone).status_code for _n in range(CODES_PER_NUMBER)] == [302] * 5
    answer = asked(phone)
    assert answer.status_code == 429
    assert TOO_MANY.search(answer.text)
    assert Message.objects.count() == 5
    assert asked(a_phone()).status_code == 302  # somebody else


def test_asking_again_counts_like_asking():
    phone = a_phone()
    used_up("codes to", phone, CODES_PER_NUMBER - 1)
    browser = Client()
    assert browser.post("/sign-in/", {"phone": phone}).status_code == 302
    answer = browser.post("/sign-in/resend/")
    assert answer.status_code == 429
    assert TOO_MANY.search(answer.text)
    assert browser.post("/sign-in/code/", {"code": code_sent_to(phone)}).status_code == 302


def test_one_address_gets_codes_for_a_village_and_not_for_a_country():
    used_up("codes from", "127.0.0.1", CODES_PER_ADDRESS - 1)
    assert [asked(a_phone()).status_code for _n in range(2)] == [302, 429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/sign-in/", {"phone": a_phone()}).status_code == 302


def test_one_address_cannot_try_codes_of_many_numbers():
    phone = a_phone()
    browser = Client()
    browser.post("/sign-in/", {"phone": phone})
    used_up("tries from", "127.0.0.1", TRIES_PER_ADDRESS)
    answer = browser.post("/sign-in/code/", {"code": code_sent_to(phone)})
    assert answer.status_code == 429
    assert TOO_MANY.search(answer.text)
    assert PhoneDevice.objects.get().tries == 0


def test_one_address_cannot_try_passwords_of_many_numbers():
    doctor = a_doctor()
    used_up("passwords from", "127.0.0.1", TRIES_PER_ADDRESS)
    answer = Client().post("/staff/sign-in/", {"phone": doctor.user.phone, "password": "guess"})
    assert answer.status_code == 429
    assert TOO_MANY.search(answer.text)


def test_a_made_up_forwarded_address_is_no_way_around(settings):
    used_up("codes from", "127.0.0.1", CODES_PER_ADDRESS)
    for hops in ("192.0.2.1", "192.0.2.1, 192.0.2.2"):
        browser = Client(headers={"X-Forwarded-For": hops})
        assert browser.post("/sign-in/", {"phone": a_phone()}).status_code == 429

    settings.TRUSTED_PROXIES = 1  # the last hop is the one that our proxy saw
    used_up("codes from", "192.0.2.9", CODES_PER_ADDRESS)
    for hops in ("192.0.2.9", "203.0.113.5, 192.0.2.9"):
        browser = Client(headers={"X-Forwarded-For": hops})
        assert browser.post("/sign-in/", {"phone": a_phone()}).status_code == 429


def test_old_counters_and_codes_are_forgotten():
    now = timezone.now()
    hit()
    hit("meena")
    RateLimit.objects.filter(key=keyed_hash("codes to", "asha")).update(
        window_at=now - timedelta(days=2, hours=1)
    )
    for phone, days in [("+919876500001", 6), ("+919876500002", 8)]:
        PhoneDevice.objects.create(phone=phone, sent_at=now - timedelta(days=days))

    sweep_old()

    assert [limit.key for limit in RateLimit.objects.all()] == [keyed_hash("codes to", "meena")]
    kept = PhoneDevice.objects.order_by("phone").values_list("phone", flat=True)
    assert list(kept) == ["+919876500001"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_thirty_at_once_exactly_the_limit_gets_through():
    results = at_once(30, lambda _n: hit(limit=7))
    assert results.count(0) == 7
    assert RateLimit.objects.get().hits == 30
