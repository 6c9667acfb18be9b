from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.db import models

from esanjeevani.sql.changes import Change, change_all
from esanjeevani.sql.composed import Question
from esanjeevani.sql.steps import update_asked


class MoveRefused(Exception):
    """A row was not in the state that the move starts from."""


class Moving(models.Model):
    """A state machine: a row whose `state` changes only as its table NEXT allows, by compare-and-set."""

    NEXT: ClassVar[dict[str, set[str]]]
    state: str

    class Meta:
        abstract = True

    def _move(
        self,
        state: str,
        *beside: models.Model,
        only: Any = None,
        **fields: Any,
    ) -> None:
        """Change the state in one conditional UPDATE, and insert with it what comes `beside` the move.

        `only` says what else must still be as it was read. Raises MoveRefused if nobody was moved.
        """
        moved(self._moving(state, only=only, **fields), *beside).ask()

    def _moving(self, state: str, *, only: Any = None, **fields: Any) -> Change:
        """A move, to be made together with others. Raises MoveRefused where NEXT has no such one."""
        if state not in self.NEXT[self.state]:
            raise MoveRefused(
                f"A {self._meta.model_name} that is {self.state} cannot become {state}."
            )
        return Change(self, {"state": state, **fields}, {"state": self.state, **(only or {})})


def moved(move: Change, *beside: models.Model) -> Question:
    """The transition, with what is inserted `beside` it, to be asked together() with others.

    Only in a transaction where something else is changed too: MoveRefused, if it was moved otherwise
    meanwhile, must end that.
    """
    asked = update_asked(type(move.row), move.row.pk, move.to, *beside, **move.where)
    return asked._replace(read=partial(_is_moved, move))


def _is_moved(move: Change, found: Sequence[Any]) -> None:
    if not found:
        was = move.where["state"]
        raise MoveRefused(f"The {move.row._meta.model_name} is no longer {was}.")
    move.is_made()


def move_all(*moves: Change, beside: Sequence[models.Model] = ()) -> None:
    """Make all of these moves, and insert what comes `beside` them, or nothing.

    In one statement, which locks the rows in this order and is the last of its transaction. Raises
    MoveRefused if one of them was moved otherwise meanwhile.
    """
    if not change_all(*moves, beside=beside):
        names = " or ".join(str(move.row._meta.model_name) for move in moves)
        raise MoveRefused(f"The {names} is no longer as it was read.")
