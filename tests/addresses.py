"""The URL table as a list: every address of an app that has a name, through all its folders."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver


@dataclass(frozen=True)
class Address:
    space: str  # the app's namespace
    name: str
    route: str
    holds: frozenset[str]  # names of what stands in it

    @property
    def full_name(self) -> str:
        return f"{self.space}:{self.name}"


def addresses(
    patterns: Iterable[URLPattern | URLResolver],
    space: str,
    route: str = "",
    holds: frozenset[str] = frozenset(),
) -> Iterator[Address]:
    for one in patterns:
        here = f"{route}{one.pattern}"
        held = holds | one.pattern.converters.keys()
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, space, here, held)
        elif one.name:
            yield Address(space, one.name, here, held)
