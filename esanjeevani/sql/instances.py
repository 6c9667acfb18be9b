"""Rows of a model, new ones and from the columns of a query, without what `Model.__init__` does for others.

That sets each field by itself and calls who listens to new instances: half of what reading a row costs.
Here the columns become the instance's own dictionary at once, as Django does where it unpickles one. A
model that makes its instances in its own way, or whose new ones somebody listens to, is made by `from_db`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.base import ModelState
from django.db.models.fields.mixins import FieldCacheMixin
from django.db.models.query import RelatedPopulator
from django.db.models.signals import post_init, pre_init

Populator: Any = RelatedPopulator  # typed as in a later Django
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Instances:
    """How the columns of a query become instances of its model."""

    make: Callable[[list[str], Sequence[Any]], Model]
    names: list[str]
    columns: slice
    related: "list[_Related]"
    annotated: dict[str, int]  # where each stands among the columns

    def made(self, columns: Sequence[Any]) -> Model:
        row = self.make(self.names, columns[self.columns])
        for related in self.related:
            related.populate(columns, row)
        for name, at in self.annotated.items():
            setattr(row, name, columns[at])
        return row


def instances(compiler: Any) -> Instances:
    """Of a query that its compiler has composed."""
    select, info = compiler.select, compiler.klass_info
    fields = info["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    return Instances(
        make=_maker(info["model"]),
        names=[one[0].target.attname for one in select[columns]],
        columns=columns,
        related=_related(info, select),
        annotated=compiler.annotation_col_map,
    )


class _Related(Populator):
    """What select_related() brings; no model of ours has another as its parent."""

    def __init__(self, info: dict[str, Any], select: Any) -> None:
        super().__init__(info, select, DEFAULT_DB_ALIAS)
        self.make = _maker(self.model_cls)
        self.related_populators = _related(info, select)
        self._here = _place_of(self.local_setter)
        # A row that many may point to knows none of them.
        self._knows_whose = info["reverse"] or info["field"].unique

    def populate(self, row: Sequence[Any], from_obj: Model) -> None:
        columns = row[self.cols_start : self.cols_end]
        found = None
        if columns[self.pk_idx] is not None:
            found = self.make(self.init_list, columns)
            for related in self.related_populators:
                related.populate(row, found)
        if self._here:
            from_obj._state.fields_cache[self._here] = found
        else:
            self.local_setter(from_obj, found)
        if found is not None and self._knows_whose:
            self.remote_setter(found, from_obj)


def _place_of(setter: Any) -> str:
    """Where the row is kept beside the one that points to it, if keeping it is all that is done."""
    is_plain = getattr(setter, "__func__", None) is FieldCacheMixin.set_cached_value
    return setter.__self__.cache_name if is_plain else ""


def _related(info: dict[str, Any], select: Any) -> list[_Related]:
    return [_Related(one, select) for one in info.get("related_klass_infos", [])]


def _maker(model: type[Model]) -> Callable[[list[str], Sequence[Any]], Model]:
    if _has_ways_of_its_own(model):
        return partial(model.from_db, DEFAULT_DB_ALIAS)
    return partial(_made, model)


def _has_ways_of_its_own(model: type[Model]) -> bool:
    is_listened_to = pre_init.has_listeners(model) or post_init.has_listeners(model)
    is_plain = model.__init__ is Model.__init__ and "from_db" not in vars(model)
    return is_listened_to or not is_plain


def _made(model: type[Model], names: list[str], columns: Sequence[Any]) -> Model:
    row = model.__new__(model)
    row.__dict__ = dict(zip(names, columns, strict=True))
    state = row._state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    return row


class _Fields(NamedTuple):
    """What a new row has."""

    constant: dict[str, Any]
    made: dict[str, Callable[[], Any]]  # anew for each row
    related: dict[str, tuple[str, str]]  # where a related row's key stands here, and there


def new(model: type[Row], **values: Any) -> Row:
    """`model(**values)`: a new row that nothing has saved. Raises TypeError for what is no field."""
    if _has_ways_of_its_own(model):
        return model(**values)
    fields = _fields_of(model)
    row = model.__new__(model)
    state = row._state = ModelState()
    columns = fields.constant | values
    for name, make in fields.made.items():
        if name not in values:
            columns[name] = make()
    for name in fields.related.keys() & values.keys():
        column, key = fields.related[name]
        related = state.fields_cache[name] = columns.pop(name)
        columns[column] = related and getattr(related, key)
    if len(columns) > len(fields.constant) + len(fields.made):
        raise TypeError(f"{model.__name__} has no such fields: {sorted(values)}")
    vars(row).update(columns)
    return row


@lru_cache(maxsize=200)
def _fields_of(model: type[Model]) -> _Fields:
    fields: list[Any] = list(model._meta.local_concrete_fields)
    made = {
        field.attname: field.get_default
        for field in fields
        if field.has_default() and callable(field.default)
    }
    return _Fields(
        {field.attname: field.get_default() for field in fields if field.attname not in made},
        made,
        {
            field.name: (field.attname, field.target_field.attname)
            for field in fields
            if field.is_relation
        },
    )
