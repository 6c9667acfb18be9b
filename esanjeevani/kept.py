"""Parts of pages that come again and again: rendered once for what they say, then kept by the process.

The values that a part shows are its key, so that it is never older than they are, nor another
person's. Only for parts in which nobody is named: what is kept outlives the request.
"""

from collections.abc import Hashable
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

PARTS_KEPT = 2000


def kept(template: str, **said: Hashable) -> SafeString:
    """The template with these values, in the language in force."""
    return _part(template, get_language(), tuple(said.items()))


@lru_cache(maxsize=PARTS_KEPT)
def _part(
    template: str, language: str | None, said: tuple[tuple[str, Hashable], ...]
) -> SafeString:
    del language  # the one in force
    return render_to_string(template, dict(said))
