"""How the body of a request is read."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from esanjeevani.strict_json import read_json


class JsonParser(BaseParser):
    """JSON as UTF-8, which is all that it may be."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return read_json(stream.read())
        except ValueError as error:
            raise ParseError from error
