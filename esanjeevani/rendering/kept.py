"""A fragment cache: HTML that comes again and again is written once for what it says, and kept.

The values that a part shows are its key, so that it is never older than they are, nor another
person's. Only for parts in which nobody is named: what is kept outlives the request.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

PARTS_KEPT = 2000

P = ParamSpec("P")
Written = TypeVar("Written")


def in_each_language(most: int = 100) -> Callable[[Callable[P, Written]], Callable[P, Written]]:
    """What the function makes of the same values is kept: the last `most`, of all languages together."""

    def keep(write: Callable[P, Written]) -> Callable[P, Written]:
        def written(_language: str | None, *args: P.args, **said: P.kwargs) -> Written:
            return write(*args, **said)

        known: Any = lru_cache(maxsize=most)(written)
        return wraps(write)(lambda *args, **said: known(get_language(), *args, **said))

    return keep


def kept(template: str, **said: Hashable) -> SafeString:
    """The template with these values, in the language in force."""
    return _part(template, tuple(said.items()))


@in_each_language(PARTS_KEPT)
def _part(template: str, said: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return render_to_string(template, dict(said))


def once(look: str, write: Callable[[], SafeString]) -> SafeString:
    """`look` names all that decides besides the language; there are few of them, and they stay."""
    key = get_language(), look
    if key not in _WRITTEN:
        _WRITTEN[key] = write()
    return _WRITTEN[key]


_WRITTEN: dict[tuple[str | None, str], SafeString] = {}
