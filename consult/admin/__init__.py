"""The admin's pages of consult; importing a module registers them."""

from consult.admin import (
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
    "care",
    "centres",
    "consultations",
    "formulary",
    "prescriptions",
    "quality",
    "room",
    "voices",
]
