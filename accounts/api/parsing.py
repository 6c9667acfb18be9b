"""How the body of a request is read."""

from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from esanjeevani.strict_json import read_json


class JsonParser(BaseParser):
    """JSON as UTF-8, which is all that it may be."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return read_json(_bytes_of(stream))
        except ValueError as error:
            raise ParseError from error


def _bytes_of(stream: Any) -> bytes:
    """Raises RequestDataTooBig: Django's own request looks at the size before it reads its body. What
    stands in its place has been read that way before."""
    return stream.body if isinstance(stream, HttpRequest) else stream.read()
