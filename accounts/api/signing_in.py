"""Signing in, the notice, and the devices that are signed in."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.actions.keys import issue_token, new_token, revoke_token, staff_account
from accounts.api.base import ApiView, Nothing, Refused, by_rule, plain
from accounts.api.shapes import (
    CodeInput,
    DeviceOutput,
    NewTokenOutput,
    NoticeOutput,
    PersonOutput,
    PhoneInput,
    StaffInput,
)
from accounts.api.who import IsPerson
from accounts.forms import six_digits
from accounts.gates import facilities_of, get_or_refuse, is_doctor
from accounts.models import ApiToken, CodeRefused, NoticeAcceptance, User
from accounts.notice import NOTICE_VERSION
from accounts.phone import normalise
from accounts.views.signing_in import why_wait


def refused(error: "actions.TooMany | CodeRefused") -> Refused:
    """429 for who must wait, 409 for a code that is wrong or old."""
    reason = "too_many" if isinstance(error, actions.TooMany) else error.reason
    must_wait = reason in ("too_many", "wait", "locked")
    answer = Refused(reason, why_wait(error), 429 if must_wait else 409)
    if must_wait:
        answer.wait = error.seconds  # type: ignore[attr-defined]
    return answer


class ForEverybody(ApiView):
    permission_classes: Any = []
    tag = "sign-in"


class Code(ForEverybody):
    """Ask for a code by SMS."""

    inputs = {"POST": PhoneInput}
    statuses = {"POST": 204}

    def post(self, request: Request) -> Response:
        """Send a six-digit code to the number, known to us or not. It lives 5 minutes."""
        phone = by_rule(normalise, self.read(), "phone")
        try:
            actions.send_code(phone=phone, language=get_language() or "en")
        except (actions.TooMany, CodeRefused) as error:
            raise refused(error) from None
        return Response(status=204)


class SignIn(ForEverybody):
    """A token for the code; the account is made when it is the first time."""

    inputs = {"POST": CodeInput}
    outputs = {"POST": NewTokenOutput}
    statuses = {"POST": 201}
    refusals = ["wrong", "expired"]

    def post(self, request: Request) -> Response:
        """A token for the code. It lasts 90 days, or until it is revoked."""
        typed = self.read()
        phone = by_rule(normalise, typed, "phone")
        code = by_rule(six_digits, typed, "code")
        token, key = new_token(device=typed["device"])
        try:
            actions.sign_in(phone=phone, code=code, language=get_language() or "en", token=token)
        except (actions.TooMany, CodeRefused) as error:
            raise refused(error) from None
        return self.answer(token, 201, key=key)


class StaffSignIn(ForEverybody):
    """A token for password and authenticator app."""

    inputs = {"POST": StaffInput}
    outputs = {"POST": NewTokenOutput}
    statuses = {"POST": 201}
    refusals = ["wrong"]

    def post(self, request: Request) -> Response:
        """For doctors and health workers: password and authenticator app. It lasts 12 hours."""
        typed = self.read()
        phone = by_rule(normalise, typed, "phone")
        code = by_rule(six_digits, typed, "code")
        try:
            user = staff_account(phone=phone, password=typed["password"], code=code)
        except CodeRefused:
            words = _("Number, password or code is not right.")
            raise Refused("wrong", words) from None
        except actions.TooMany as error:
            raise refused(error) from None
        token, key = issue_token(user=user, device=typed["device"], has_second_factor=True)
        return self.answer(token, 201, key=key)


class SignOut(ApiView):
    """End the token that asks."""

    permission_classes = [IsPerson]
    tag = "sign-in"
    statuses = {"POST": 204}

    def post(self, request: Request) -> Response:
        """End the token that asks. A session of the pages ends on the pages."""
        self.read()
        if isinstance(request.auth, ApiToken):
            revoke_token(token=request.auth, by=plain(request).user)
        return Response(status=204)


class Devices(ApiView):
    """Where this person is signed in."""

    permission_classes = [IsPerson]
    outputs = {"GET": DeviceOutput}
    lists = {"GET"}

    def get(self, request: Request) -> Response:
        """The devices with a token in force, newest first."""
        mine = ApiToken.objects.in_force().filter(user=plain(request).user)
        return self.answer(list(mine[:100]))


class Device(ApiView):
    """One device that is signed in."""

    permission_classes = [IsPerson]
    tag = "devices"

    def delete(self, request: Request, device: UUID) -> Response:
        """Sign that device out: a phone that was lost."""
        user = plain(request).user
        mine = ApiToken.objects.filter(user=user)
        found = get_or_refuse(mine, ApiToken.objects.all(), plain(request), uid=device)
        revoke_token(token=found, by=user)
        return Response(status=204)


class Me(ApiView):
    """Who asks."""

    permission_classes = [IsPerson]
    outputs = {"GET": PersonOutput}

    def get(self, request: Request) -> Response:
        """The person behind the token, and what they are."""
        user: User = plain(request).user
        user.is_doctor = user.is_verified() and is_doctor(user)  # type: ignore[attr-defined]
        user.facilities = facilities_of(user) if user.is_verified() else []  # type: ignore[attr-defined]
        return self.answer(user)


@lru_cache
def _of_the_notice() -> str:
    return reverse("accounts:privacy")


class Notice(ApiView):
    """The privacy notice in force."""

    permission_classes = [IsPerson]
    inputs = {"POST": Nothing}
    outputs = {"GET": NoticeOutput, "POST": NoticeOutput}

    def get(self, request: Request) -> Response:
        """Which notice is in force, and whether this person has accepted it."""
        mine = NoticeAcceptance.objects.filter(user=plain(request).user, version=NOTICE_VERSION)
        return self.answer(self._notice(is_accepted=mine.exists()))

    def post(self, request: Request) -> Response:
        """Accept it, once its words were shown. Twice is once."""
        self.read()
        actions.accept_notice(by=plain(request).user, language=get_language() or "en")
        return self.answer(self._notice(is_accepted=True))

    def _notice(self, *, is_accepted: bool) -> dict[str, object]:
        return {
            "version": NOTICE_VERSION,
            "address": f"{settings.SITE_URL}{_of_the_notice()}",
            "is_accepted": is_accepted,
        }
