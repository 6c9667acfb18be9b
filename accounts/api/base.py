"""What every end of the API has in common: who asks, what is read, errors, one answer per key."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as WrongValue
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    PermissionDenied,
    Throttled,
    ValidationError,
)
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import answers
from accounts.address import current_address
from accounts.api.once import key_of, once_of
from accounts.api.paging import Pages
from accounts.api.parsing import JsonParser
from accounts.api.reading import Input, understood
from accounts.api.telling import shape_of, told
from accounts.api.who import BearerKey, IsNoticed, limit_of
from accounts.gates import SignedIn
from accounts.secrets import keyed_hash

ANY = "*/*"  # of an Accept header
OF_THE_ANSWER = ("ETag", "Location")  # headers that are kept with it


class Refused(APIException):
    """A rule says no: `code` is for programs, the sentence for people."""

    status_code: int = status.HTTP_409_CONFLICT

    def __init__(
        self,
        code: str,
        message: str,
        status_code: int = 409,
        *,
        fields: dict[str, list[str]] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code)
        self.status_code = status_code
        self.fields: dict[str, Any] = {"fields": fields} if fields else {}
        if details:
            self.fields["details"] = details


class Replay(Exception):
    """Not an error: this request was answered before."""

    def __init__(self, answer: answers.Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


class Nothing(Input):
    """An empty body, or {}."""


class Negotiation(DefaultContentNegotiation):
    """What a program usually says it takes is not weighed against what there is."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        asked = request._request.META
        usual = renderers[0].media_type
        if asked.get("HTTP_ACCEPT", ANY) in (ANY, usual) and not asked.get("QUERY_STRING"):
            return renderers[0], usual
        chosen: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen


class ApiView(APIView):
    """One resource. `inputs` and `outputs` say, per method, what is read and what is answered.

    `refusals` are the codes of 409. The OpenAPI document is made of these.
    """

    authentication_classes = [BearerKey, SessionAuthentication]
    permission_classes: Any = [IsNoticed]
    renderer_classes: Any = [JSONRenderer]
    content_negotiation_class = Negotiation
    inputs: ClassVar[dict[str, type[serializers.Serializer]]] = {}
    outputs: ClassVar[dict[str, Any]] = {}
    refusals: ClassVar[list[str]] = []
    statuses: ClassVar[
        dict[str, int]
    ] = {}  # of success, where it is not 200, or 204 without output
    lists: ClassVar[set[str]] = set()  # methods that answer a list
    parameters: ClassVar[dict[str, list[Any]]] = {}  # of the query
    is_paged = False
    is_polled = False
    tag = ""
    _reservation: answers.Reservation | None = None
    _headers: ClassVar[dict[type, dict[str, str]]] = {}

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Which methods there are, which DRF looks for at each request."""
        if type(self) not in self._headers:
            self._headers[type(self)] = super().default_response_headers
        return self._headers[type(self)].copy()

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except (AuthenticationFailed, PermissionDenied):  # an unknown key; a page of another site
            count(request)
            raise

    def check_permissions(self, request: Request) -> None:
        """Whoever may not do it may ask again with the same key once they may."""
        try:
            super().check_permissions(request)
        except Exception:
            counted = _counted(request)
            if counted and counted.reservation:
                counted.reservation.give_up()
            raise

    def check_throttles(self, request: Request) -> None:
        """Every request counts, most as it is asked who sends it; one with a key is answered once.

        Raises Replay when this request was answered before.
        """
        counted = _counted(request) or _count(request)
        try:
            found = counted.right_to_answer()
        except answers.Throttled as error:
            self.throttled(request, error.seconds)
        except answers.OtherRequest:
            raise Refused(
                "key_reused", _("This Idempotency-Key was used for another request."), 422
            ) from None
        except answers.StillAtWork:
            raise Refused(
                "in_progress", _("The first request with this key is still at work."), 409
            ) from None
        if isinstance(found, answers.Answer):
            raise Replay(found)
        if found is None and key_of(request):
            raise Refused("bad_key", _("An Idempotency-Key has 16 to 128 characters."), 400)
        self._reservation = found

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Replay):
            kept = exc.answer
            headers = kept.headers | {"Idempotency-Replayed": "true"}
            return Response(kept.data, kept.status, headers=headers)
        if isinstance(exc, RequestDataTooBig):
            exc = Refused("too_big", _("This is too much for one request."), 413)
        try:
            return super().handle_exception(exc)
        except Exception:
            if self._reservation:
                self._reservation.give_up()
            raise

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self._reservation:
            headers = {name: answer[name] for name in OF_THE_ANSWER if name in answer}
            self._reservation.keep(answers.Answer(response.status_code, response.data, headers))
        return answer

    def permission_denied(
        self, request: Request, message: str | None = None, code: str | None = None
    ) -> Any:
        """The code says which gate it was."""
        count(request)
        if request.authenticators and not request.successful_authenticator:
            return super().permission_denied(request, message, code)
        gates = [gate.code for gate in self.permission_classes if hasattr(gate, "code")]
        words = {
            "notice_needed": _("Accept the privacy notice first."),
            "doctors_only": _("This is for doctors, with password and authenticator app."),
            "health_workers_only": _("This is for health workers with a post at a health centre."),
        }
        code = gates[0] if gates else "forbidden"
        raise Refused(code, words.get(code, _("This is not yours to do.")), 403)

    def read(self) -> dict[str, Any]:
        """What the client sent, of the right types. Raises ValidationError."""
        shape = shape_of(self.inputs.get(str(self.request.method), Nothing))
        return cast(dict[str, Any], understood(shape, self._said()))

    def _said(self) -> Any:
        """The body. Raises ParseError, UnsupportedMediaType."""
        request = self.request._request
        if _is_empty(request):
            return {}
        if JsonParser in self.parser_classes and _is_json(request):
            return JsonParser().parse(request)  # what DRF comes to after 50 calls of functions
        return self.request.data

    def answer(self, row: Any, status_code: int = 200, **context: Any) -> Response:
        """The row as `outputs` says; a list of rows as a list."""
        shape = shape_of(self.outputs[str(self.request.method)], view=self, **context)
        data = [told(shape, one) for one in row] if isinstance(row, list) else told(shape, row)
        return self.polled(data, status_code) if self.is_polled else Response(data, status_code)

    def polled(self, data: Any, status_code: int = 200) -> Response:
        """With an ETag; 304 and no body for who has this already."""
        rendered = json.dumps(data, cls=DjangoJSONEncoder, sort_keys=True).encode()
        tag = f'"{hashlib.sha256(rendered).hexdigest()[:32]}"'
        if self.request.method == "GET" and tag in self.request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": tag})
        return Response(data, status_code, headers={"ETag": tag})

    def paged(self, rows: "models.QuerySet[Any]", **context: Any) -> Response:
        """One page of rows, newest first, with the addresses of the next and the one before."""
        pages = Pages()
        page = pages.paginate_queryset(rows, self.request, view=self)
        shape = shape_of(self.outputs["GET"], view=self, **context)
        answer = pages.get_paginated_response([told(shape, row) for row in page or []])
        return self.polled(answer.data) if self.is_polled else answer


def count(request: Request) -> None:
    """For who is turned away before the throttles: guessing is slowed. Raises Throttled."""
    counted = _counted(request)
    if seconds := counted.seconds if counted else limit_of(request).hit():
        raise Throttled(seconds)


def plain(request: Request) -> SignedIn:
    """Django's request behind DRF's, for whoever fetches through the user."""
    return cast(SignedIn, request._request)


def _is_empty(request: HttpRequest) -> bool:
    return request.META.get("CONTENT_LENGTH", "") in ("", "0")


def _is_json(request: HttpRequest) -> bool:
    return bool(request.META.get("CONTENT_TYPE") == JsonParser.media_type)


def _counted(request: Request) -> answers.Counted | None:
    """Where it was counted as it was asked whose token it brings."""
    counted: answers.Counted | None = vars(request).get("counted")
    return counted


def _count(request: Request) -> answers.Counted:
    """Of anybody else, and of who sends files."""
    limit = limit_of(request)
    try:
        once = once_of(request)
    except (APIException, RequestDataTooBig):
        limit.hit()
        raise
    if once is None:
        return answers.Counted(limit.hit())
    account = request.user.pk
    who = str(account) if account else keyed_hash("address", current_address() or "")[:20]
    return answers.reserve(who=who, once=once, limit=limit)


def cleaned(form: BaseForm) -> Any:
    """What a form of the pages makes of it: one rule for both. Raises ValidationError per field."""
    if not form.is_valid():
        raise ValidationError(
            {
                "non_field_errors" if name == "__all__" else name: [str(one) for one in errors]
                for name, errors in form.errors.items()
            }
        )
    return form.cleaned_data


def by_rule(rule: Callable[[str], str], typed: dict[str, Any], field: str) -> str:
    """What a rule of the pages' forms makes of one field. Raises ValidationError for it."""
    try:
        return rule(typed[field])
    except WrongValue as error:
        raise ValidationError({field: error.messages}) from None
