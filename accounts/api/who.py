"""Who asks: a person by a token or by the session of a page, or a facility's machine by its key."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework import permissions
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.actions.asking import MINUTE, limit_of_person, token_counted, token_of
from accounts.actions.keys import MACHINE, PERSON, hash_of
from accounts.address import current_address
from accounts.api.once import is_multipart, once_of
from accounts.gates import chosen_facility, facilities_of, has_accepted_notice, is_doctor
from accounts.models import ApiToken, MachineClient
from accounts.models.limits import Counting


class BearerKey(BaseAuthentication):
    """`Authorization: Bearer <key>`: a person's token or a machine's key."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if key.startswith(PERSON):
            return _person(key, request)
        if key.startswith(MACHINE):
            return _machine(key)
        raise AuthenticationFailed

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def person_of(key: str) -> tuple[Any, ApiToken]:
    """Whose token it is. Raises AuthenticationFailed."""
    return _verified(token_of(key))


def _person(key: str, request: Any) -> tuple[Any, ApiToken]:
    """As person_of(), with the request counted and its answer reserved."""
    if is_multipart(request):  # files are read once it is known who asks
        return person_of(key)
    try:
        once = once_of(request)
    except RequestDataTooBig:  # which is said then
        return person_of(key)
    token, request.counted = token_counted(key, once)
    return _verified(token)


def _verified(token: ApiToken | None) -> tuple[Any, ApiToken]:
    if token is None:
        raise AuthenticationFailed
    # As django-otp does for sessions.
    token.user.is_verified = lambda: token.has_second_factor  # type: ignore[method-assign]
    return token.user, token


def accepted_notice(token: Any) -> bool:
    """Whether whom it was given to has; staff work under another."""
    return bool(token.has_second_factor or token.is_noticed)


def _machine(key: str) -> tuple[Any, MachineClient]:
    clients = MachineClient.objects.select_related("facility__state", "answers_for")
    client = clients.filter(key_hash=hash_of(key), revoked_at=None).first()
    if client is None or not client.answers_for.is_active:
        raise AuthenticationFailed
    client.answers_for.is_verified = lambda: False  # type: ignore[method-assign]
    return client.answers_for, client


class IsPerson(permissions.BasePermission):
    """Signed in as a person; a machine's key opens only what is said to be for machines."""

    code = "not_for_machines"

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and not isinstance(request.auth, MachineClient)


class IsNoticed(IsPerson):
    """And has accepted the privacy notice in force: `POST /api/v1/notice/`. Staff work under another."""

    code = "notice_needed"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        user: Any = request.user
        if request.auth is not None:
            return accepted_notice(request.auth)
        return user.is_verified() or has_accepted_notice(request._request)


class IsDoctor(IsPerson):
    """With password and authenticator app."""

    code = "doctors_only"

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        return super().has_permission(request, view) and user.is_verified() and is_doctor(user)


class IsHealthWorker(IsPerson):
    """With password and authenticator app, and an open post; `?facility=` chooses among several."""

    code = "health_workers_only"

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        if not super().has_permission(request, view) or not user.is_verified():
            return False
        plain: Any = request._request
        plain.facilities = facilities_of(user)
        wanted = request.query_params.get("facility", "")
        plain.facility = (
            next((one for one in plain.facilities if str(one.pk) == wanted), None)
            if wanted
            else chosen_facility(plain.facilities, {})
        )
        if plain.facility is None and plain.facilities:
            raise Http404
        return plain.facility is not None


def limit_of(request: Request) -> Counting:
    """So many requests a minute; counted in the database, like every limit here."""
    most = settings.API_PER_MINUTE
    if isinstance(request.auth, MachineClient):
        return Counting(("api machine", str(request.auth.pk), most["machine"]), window=MINUTE)
    if request.user.is_authenticated:
        return limit_of_person(request.user.pk)
    return limit_of_address()


def limit_of_address() -> Counting:
    """Of whoever is not known, for all that is asked or guessed from one address."""
    most = settings.API_PER_MINUTE["address"]
    return Counting(("api address", current_address() or "", most), window=MINUTE)
