"""Reads the environment; says loudly what production lacks."""

import os

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "")
    return value.strip().lower() in TRUE if value else default


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def needed(name: str, embedded: str) -> str:
    """The value of `name`; the embedded default only where EMBEDDED or DEMO asks for it.

    Raises ImproperlyConfigured in production when the variable is not set.
    """
    value = text(name)
    if value:
        return value
    if EMBEDDED:
        return embedded
    raise ImproperlyConfigured(
        f"{name} is not set. See .env.example; EMBEDDED=1 runs without it on one machine."
    )


DEMO = flag("DEMO")
EMBEDDED = flag("EMBEDDED", default=DEMO)
