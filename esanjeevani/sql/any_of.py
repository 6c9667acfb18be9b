"""Composed queries for the rows of several keys: `AnyOf(lambda keys: Drug.objects.filter(pk__in=keys), ...)`.

How many places `IN (...)` has is part of a query's text. So there are texts of a few sizes, and the
places that are left over hold the last key once more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from django.db.models import Field, Model, QuerySet

from esanjeevani.sql.composed import Columns, Composed, Question, Slot

Row = TypeVar("Row", bound=Model)
Key = TypeVar("Key", int, str)
FEW = (4, 16, 64)  # what one person's page asks for
ALL_SIZES = tuple(1 << power for power in range(11))  # to 1,024: what a process asks for its pages


def in_shares(keys: Iterable[Key], sizes: Sequence[int] = ALL_SIZES) -> Iterator[list[Key]]:
    """Keys for one statement each, the last of them repeated to make them so many as one of `sizes`."""
    ordered, most = sorted(set(keys)), sizes[-1]
    for begin in range(0, len(ordered), most):
        share = ordered[begin : begin + most]
        size = next(size for size in sizes if len(share) <= size)
        yield share + share[-1:] * (size - len(share))


@lru_cache
def with_places(text: str, how_many: int) -> str:
    """SQL by hand, with a place for each key where it says {places}."""
    return text.format(places=", ".join(["%s"] * how_many))


class AnyOf(Generic[Row]):
    """One query that asks for any of some keys. More than the largest size are asked for in parts."""

    def __init__(
        self,
        write: "Callable[..., QuerySet[Row, Any]]",
        keys: "Field[Any, Any]",
        *,
        sizes: Sequence[int] = FEW,
        **slots: "Field[Any, Any]",
    ) -> None:
        self._write, self._keys, self._sizes, self._slots = write, keys, sizes, slots
        self._of_size = lru_cache(self._compose)

    def all(self, keys: Iterable[Any], **values: Any) -> list[Row]:
        parts = self._parts(Composed, keys)
        return [row for query, asked in parts for row in query.all(**asked, **values)]

    def asked(self, keys: Iterable[Any], **values: Any) -> Question:
        """As all(), to be asked together() with others: of at least one key, of no more than a text takes."""
        ((query, asked),) = self._parts(Composed, keys)
        return cast(Question, query.asked(**asked, **values))

    def columns(self, keys: Iterable[Any], **values: Any) -> list[tuple[Any, ...]]:
        """As `values_list()` gives them."""
        parts = self._parts(Columns, keys)
        return [row for query, asked in parts for row in query.columns(**asked, **values)]

    def _parts(self, kind: Any, keys: Iterable[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        for share in in_shares(keys, self._sizes):
            places = _places(len(share))
            yield self._of_size(kind, len(share)), dict(zip(places, share, strict=True))

    def _compose(self, kind: Any, size: int) -> Any:
        places = _places(size)

        def written(**known: Slot) -> "QuerySet[Row]":
            return cast("QuerySet[Row]", self._write([known.pop(name) for name in places], **known))

        return kind(written, **dict.fromkeys(places, self._keys), **self._slots)


@lru_cache
def _places(size: int) -> list[str]:
    return [f"key_{number}" for number in range(size)]
