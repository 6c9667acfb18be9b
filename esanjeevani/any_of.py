"""Composed queries for the rows of several keys: `AnyOf(lambda keys: Drug.objects.filter(pk__in=keys), ...)`.

How many places a query has is part of its text. So there are texts of a few sizes, and the places that
are left over hold a value that no row has.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

from django.db.models import Field, Model, QuerySet

from esanjeevani.composed import Composed, Slot

Row = TypeVar("Row", bound=Model)
SIZES = (4, 16, 64)


class AnyOf(Generic[Row]):
    """One query that asks for any of some keys. `nothing` is the value of no row.

    More than 64 keys are asked for in parts: then the order is that of the parts.
    """

    def __init__(
        self,
        write: "Callable[..., QuerySet[Row, Any]]",
        keys: "Field[Any, Any]",
        *,
        nothing: Any,
        **slots: "Field[Any, Any]",
    ) -> None:
        self._write, self._nothing = write, nothing
        self._sizes = {size: self._of_size(size, keys, slots) for size in SIZES}

    def _of_size(
        self, size: int, keys: "Field[Any, Any]", slots: dict[str, "Field[Any, Any]"]
    ) -> Composed[Row]:
        places = _places(size)

        def written(**known: Slot) -> "QuerySet[Row]":
            return cast("QuerySet[Row]", self._write([known.pop(name) for name in places], **known))

        return Composed(written, **dict.fromkeys(places, keys), **slots)

    def all(self, keys: Sequence[Any], **values: Any) -> list[Row]:
        return [row for query, asked in self._parts(keys) for row in query.all(**asked, **values)]

    def columns(self, keys: Sequence[Any], **values: Any) -> list[tuple[Any, ...]]:
        """As `values_list()` gives them."""
        parts = self._parts(keys)
        return [row for query, asked in parts for row in query.columns(**asked, **values)]

    def _parts(self, keys: Sequence[Any]) -> list[tuple[Composed[Row], dict[str, Any]]]:
        most = SIZES[-1]
        return [self._part(keys[at : at + most]) for at in range(0, len(keys), most)]

    def _part(self, keys: Sequence[Any]) -> tuple[Composed[Row], dict[str, Any]]:
        size = next(size for size in SIZES if len(keys) <= size)
        filled = [*keys, *[self._nothing] * (size - len(keys))]
        return self._sizes[size], dict(zip(_places(size), filled, strict=True))


def _places(size: int) -> list[str]:
    return [f"key_{number}" for number in range(size)]
