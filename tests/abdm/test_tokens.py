"""Who calls back: only the gateway, by a token that its published keys signed and that is still good."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache

from accounts.models import AuditEvent
from consult.abdm.tokens import ASKED
from consult.models import AbdmMessage

pytestmark = pytest.mark.django_db
NOTIFY = "consent/request/hip/notify"


def refused() -> int:
    return AuditEvent.objects.filter(action="abdm.callback", refused=True).count()


def test_the_gateways_own_token_opens_and_its_keys_are_asked_for_once(calls):
    assert [calls(NOTIFY, {}).status_code for _ in range(3)] == [202, 202, 202]
    assert calls.gateway.keys_asked == 1
    assert refused() == 0


def forged(gateway) -> dict[str, str]:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    header, claims, signature = gateway.token().split(".")
    public = gateway.published()["keys"][0]["n"]
    return {
        "none": "",
        "no token": "guess",
        "another key": gateway.token(key=stranger),
        "unsigned": jwt.encode({"exp": 9_999_999_999}, "", "none", headers={"kid": gateway.key_id}),
        # The public key taken for a shared secret: the classic mistake of a checker.
        "hmac": jwt.encode(
            {"exp": 9_999_999_999}, public, "HS256", headers={"kid": gateway.key_id}
        ),
        "changed": f"{header}.{claims[:-2]}AA.{signature}",
        "run out": gateway.token(lasts=-120),
        "another member's": gateway.token(iss="https://somebody.example"),
        "without an end": jwt.encode(
            {"iss": "https://gateway.example"}, gateway.key, "RS256", {"kid": gateway.key_id}
        ),
    }


def test_a_wrong_token_is_401_and_written_down(calls):
    for number, (why, token) in enumerate(forged(calls.gateway).items(), start=1):
        assert calls(NOTIFY, {}, token).status_code == 401, why
        assert refused() == number, why
    assert not AbdmMessage.objects.exists()


def test_a_token_that_ran_out_within_a_minute_is_good_for_clocks_differ(calls):
    assert calls(NOTIFY, {}, calls.gateway.token(lasts=-10)).status_code == 202


def test_a_new_key_is_fetched_and_the_old_one_no_longer_good(calls):
    old = calls.gateway.token()
    assert calls(NOTIFY, {}, old).status_code == 202
    calls.gateway.rotate()
    cache.delete(ASKED)  # a minute later
    assert calls(NOTIFY, {}).status_code == 202
    assert calls.gateway.keys_asked == 2
    assert calls(NOTIFY, {}, old).status_code == 401


def test_strangers_do_not_make_us_ask_the_gateway_again_and_again(calls):
    assert calls(NOTIFY, {}).status_code == 202
    headers = [{"kid": f"made-up-{number}"} for number in range(5)]
    for one in headers:
        token = jwt.encode({"exp": 9_999_999_999}, calls.gateway.key, "RS256", one)
        assert calls(NOTIFY, {}, token).status_code == 401
    assert calls.gateway.keys_asked == 1


def test_while_the_keys_cannot_be_had_the_gateway_is_asked_to_call_again(calls, settings):
    token = calls.gateway.token()
    settings.ABDM = settings.ABDM | {"url": "http://127.0.0.1:9"}
    assert calls(NOTIFY, {}, token).status_code == 503
    assert refused() == 0
    settings.ABDM = settings.ABDM | {"url": calls.gateway.url}
    assert calls(NOTIFY, {}, token).status_code == 202
