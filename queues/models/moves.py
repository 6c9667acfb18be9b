from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models

from esanjeevani.steps import update_with


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
        only: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Change the state in one conditional UPDATE, and insert with it what comes `beside` the move.

        `only` says what else must still be as it was read. Raises MoveRefused if nobody was moved.
        """
        if state not in self.NEXT[self.state]:
            raise MoveRefused(
                f"A {self._meta.model_name} that is {self.state} cannot become {state}."
            )
        changes = {"state": state, **fields}
        if not update_with(type(self), self.pk, changes, *beside, state=self.state, **(only or {})):
            raise MoveRefused(f"The {self._meta.model_name} is no longer {self.state}.")
        self.state = state
        for name, value in fields.items():
            setattr(self, name, value)
