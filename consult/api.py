"""JSON for the pages' own scripts: the same actions as the forms."""

from typing import cast
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import record
from accounts.gates import SignedIn
from consult import actions
from consult.fetch import visible_consultation
from consult.serializers import MessageInput, MessageOutput
from queues.models import MoveRefused

PAGE = 200


class Ended(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "ended"


class Messages(APIView):
    """The chat of one consultation: read after an id, write once per client_id."""

    def get(self, request: Request, consultation: UUID) -> Response:
        found = visible_consultation(_plain(request), consultation)
        newer = found.messages.filter(pk__gt=_id(request.query_params.get("after", "")))
        rows = list(newer.select_related("author", "attachment").order_by("pk")[:PAGE])
        if rows:
            record("messages.read", found, by=_plain(request).user, patient=found.patient)
        context = {"user": request.user, "patient": found.patient}
        output = MessageOutput(rows, many=True, context=context)  # type: ignore[arg-type]
        return Response(output.data)

    def post(self, request: Request, consultation: UUID) -> Response:
        found = visible_consultation(_plain(request), consultation)
        typed = MessageInput(data=request.data)
        typed.is_valid(raise_exception=True)
        try:
            message = actions.post_message(
                consultation=found, by=_plain(request).user, **typed.validated_data
            )
        except MoveRefused:
            raise Ended(_("The consultation has ended. The message was not sent.")) from None
        context = {"user": request.user, "patient": found.patient}
        output = MessageOutput(message, context=context)
        return Response(output.data, status=status.HTTP_201_CREATED)


def _id(typed: str) -> int:
    """The number, or 0 for what is no id."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0


def _plain(request: Request) -> SignedIn:
    """The request behind DRF's; only the signed in come here."""
    return cast(SignedIn, request._request)
