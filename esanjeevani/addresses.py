"""How an address finds its page."""

from typing import Any

from django.urls import ResolverMatch, URLResolver
from django.urls.resolvers import RoutePattern


class Remembering(URLResolver):
    """An include() that looks for an address in which nothing varies once: there are as many as patterns.

    Django tries one pattern after the other, each time.
    """

    def __init__(self, route: str, patterns: Any) -> None:
        super().__init__(RoutePattern(route), patterns)
        self._known: dict[str, ResolverMatch] = {}

    def resolve(self, path: Any) -> ResolverMatch:
        found = self._known.get(path)
        if found is None:
            found = super().resolve(path)
            if not found.args and not found.kwargs:
                found.tried = []  # what was tried before it is told where nothing was found
                self._known[path] = found
        return found
