"""What the database itself refuses, whoever asks."""

from collections.abc import Callable

from django.db import IntegrityError, transaction


def taken(make: Callable[..., object], *args: object, **fields: object) -> bool:
    """Whether the database takes what `make` does."""
    try:
        with transaction.atomic():
            make(*args, **fields)
    except IntegrityError:
        return False
    return True
