from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.db import models

from esanjeevani.composed import Question
from esanjeevani.steps import update_asked


class MoveRefused(Exception):
    """A row was not in the state that the move starts from."""


class Moving(models.Model):
    """A row with a `state` that changes only as its table NEXT allows."""

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
        self._moving(state, *beside, only=only, **fields).ask()

    def _moving(
        self,
        state: str,
        *beside: models.Model,
        only: Any = None,
        **fields: Any,
    ) -> Question:
        """As _move(), to be asked together() with others: only in a transaction, which MoveRefused ends."""
        if state not in self.NEXT[self.state]:
            raise MoveRefused(
                f"A {self._meta.model_name} that is {self.state} cannot become {state}."
            )
        changes, as_read = {"state": state, **fields}, {"state": self.state, **(only or {})}
        asked = update_asked(type(self), self.pk, changes, *beside, **as_read)
        return asked._replace(read=partial(self._moved, changes))

    def _moved(self, changes: dict[str, Any], found: Sequence[Any]) -> None:
        if not found:
            raise MoveRefused(f"The {self._meta.model_name} is no longer {self.state}.")
        for name, value in changes.items():
            setattr(self, name, value)
