"""The admin's pages of consult; importing a module registers them."""

from consult.admin import (
    abdm,
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
    "abdm",
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
