"""The admin's pages of consult; importing a module registers them."""

from consult.admin import (
    calls,
    care,
    centres,
    consultations,
    formulary,
    prescriptions,
    quality,
    room,
    voices,
)

__all__ = [
    "calls",
    "care",
    "centres",
    "consultations",
    "formulary",
    "prescriptions",
    "quality",
    "room",
    "voices",
]
