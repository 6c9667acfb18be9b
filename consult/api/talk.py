"""Messages, for the pages' own scripts and for programs: the same actions as the forms."""

from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import Refused, cleaned, plain
from accounts.api.parsing import JsonParser
from accounts.api.who import IsPerson
from consult import actions
from consult.api.base import OfConsultation
from consult.api.shapes import FileMessageInput
from consult.forms import MessageForm
from consult.serializers import MessageInput, MessageOutput
from consult.views.patient.booking import too_many_files
from queues.models import MoveRefused

PAGE = 200


class Messages(OfConsultation):
    """The chat of one consultation: read after an id, write once per client_id."""

    permission_classes = [IsPerson]
    inputs = {"POST": MessageInput}
    outputs = {"GET": MessageOutput, "POST": MessageOutput}
    statuses = {"POST": 201}
    refusals = ["ended"]
    lists = {"GET"}
    is_polled = True
    parameters = {
        "GET": [
            OpenApiParameter("after", {"type": "integer", "minimum": 0},
                             description="The last id that you have."),
        ]
    }  # fmt: skip

    def get(self, request: Request, consultation: UUID) -> Response:
        """At most 200 messages after `after`, in order."""
        found = self.found(request, consultation)
        newer = found.messages.filter(pk__gt=_id(request.query_params.get("after", "")))
        rows = list(newer.select_related("author", "attachment").order_by("pk")[:PAGE])
        if rows:
            record("messages.read", found, by=plain(request).user, patient=found.patient)
        return self.answer(rows, user=request.user, patient=found.patient)

    def post(self, request: Request, consultation: UUID) -> Response:
        """Say something. The same `client_id` again stores nothing twice."""
        found = self.found(request, consultation)
        typed = self.read()
        try:
            message = actions.post_message(consultation=found, by=plain(request).user, **typed)
        except MoveRefused:
            words = _("The consultation has ended. The message was not sent.")
            raise Refused("ended", words) from None
        return self.answer(message, 201, user=request.user, patient=found.patient)


class MessageFiles(OfConsultation):
    """Messages with a photo or report."""

    permission_classes = [IsPerson]
    parser_classes = [MultiPartParser, JsonParser]
    inputs = {"POST": FileMessageInput}
    outputs = {"POST": MessageOutput}
    statuses = {"POST": 201}
    refusals = ["ended", "too_many_files"]

    def post(self, request: Request, consultation: UUID) -> Response:
        """Send a photo or report with or without words: checked, and written anew."""
        found = self.found(request, consultation)
        typed = self.read()
        data = {"client_id": typed["client_id"], "text": typed.get("text", "")}
        said = cleaned(MessageForm(data, request.FILES))
        try:
            message = actions.post_message(
                consultation=found,
                by=plain(request).user,
                client_id=said["client_id"],
                text=said["text"],
                clean=said["file"],
            )
        except actions.TooManyFiles as error:
            raise Refused("too_many_files", too_many_files(error)) from None
        except MoveRefused:
            words = _("The consultation has ended. The message was not sent.")
            raise Refused("ended", words) from None
        return self.answer(message, 201, user=request.user, patient=found.patient)


def _id(typed: str) -> int:
    """The number, or 0 for what is no id."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
