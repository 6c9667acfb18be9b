"""The HTML of fields in which nothing is typed yet: written once per language, then kept."""

from collections.abc import Callable

from django.utils.safestring import SafeString
from django.utils.translation import get_language

_WRITTEN: dict[tuple[str | None, str], SafeString] = {}


def once(look: str, write: Callable[[], SafeString]) -> SafeString:
    """`look` names all that the fields look like besides the language; there are few of them."""
    key = get_language(), look
    if key not in _WRITTEN:
        _WRITTEN[key] = write()
    return _WRITTEN[key]
