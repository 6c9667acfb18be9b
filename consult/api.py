"""JSON for the pages' own scripts: the same actions as the forms."""

from typing import cast
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

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
        after = request.query_params.get("after", "0")
        newer = found.messages.filter(pk__gt=int(after) if after.isdigit() else 0)
        rows = list(newer.select_related("author", "attachment").order_by("pk")[:PAGE])
        output = MessageOutput(rows, many=True, context={"user": request.user})  # type: ignore[arg-type]
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
        output = MessageOutput(message, context={"user": request.user})
        return Response(output.data, status=status.HTTP_201_CREATED)


def _plain(request: Request) -> SignedIn:
    """The request behind DRF's; only the signed in come here."""
    return cast(SignedIn, request._request)
