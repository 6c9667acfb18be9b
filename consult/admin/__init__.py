"""The admin's pages of consult; importing a module registers them."""

from consult.admin import consultations, prescriptions, room, voices

__all__ = ["consultations", "prescriptions", "room", "voices"]
