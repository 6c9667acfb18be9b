"""Where the national gateway calls back: kept, answered with 202, worked on afterwards."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import refuse
from accounts.api.base import Refused, count
from consult.abdm import gateway
from consult.abdm.messages import receive
from consult.abdm.receiving import is_expected
from consult.abdm.tokens import Forged, check_token
from consult.abdm.work import CALLBACKS
from esanjeevani.strict_json import read_json

LARGEST = 12_000_000  # bytes: a page of encrypted documents
LARGEST_CALL = 500_000


class Callback(APIView):
    """One callback. Delivered twice, it is done once.

    Whoever shows no token of the gateway's is counted by address, as everybody without a key is.
    """

    authentication_classes: Any = []
    permission_classes: Any = []
    renderer_classes = [JSONRenderer]

    def post(self, request: Request, kind: str) -> Response:
        if not gateway.is_on() or kind not in CALLBACKS:
            raise Http404
        is_data = kind == "data"  # comes from the holder of the records, sealed for us
        if is_data:
            count(request)
        else:
            self._check_token(request)
        if _length(request) > (LARGEST if is_data else LARGEST_CALL):
            raise Refused("too_big", _("This is too much for one request."), 413)
        body = _json(request)
        if not isinstance(body, dict):
            raise ValidationError({"non_field_errors": [_("A JSON object is expected.")]})
        request_id = request.headers.get("REQUEST-ID", "")
        if is_data:
            if not is_expected(body.get("transactionId")):
                raise Http404
            request_id = f"{body['transactionId']}/{body.get('pageNumber', 1)}"
        if not 1 <= len(request_id) <= 64:
            raise ValidationError({"REQUEST-ID": [_("1 to 64 characters.")]})
        receive(kind, request_id, body)
        return Response({"status": "ACCEPTED"}, status=202)

    def _check_token(self, request: Request) -> None:
        """401 for what is not the gateway's; 503, so that it calls again, while its keys are not there."""
        try:
            check_token(request.headers.get("Authorization", "").removeprefix("Bearer "))
        except Forged:
            count(request)
            refuse("abdm.callback", request.path[:80], by=None)
            words = _("This is not the gateway's token.")
            raise Refused("not_authenticated", words, 401) from None
        except (gateway.GatewayAway, gateway.GatewayRefused):
            words = _("The national health-records service does not answer. Try again later.")
            raise Refused("gateway_away", words, 503) from None


def _json(request: Request) -> Any:
    """Read whole: larger than a form may be, and its length was looked at."""
    try:
        return read_json(request._request.read())
    except ValueError:
        raise ParseError from None


def _length(request: Request) -> int:
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if str(said).isdigit() else LARGEST + 1
