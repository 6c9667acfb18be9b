"""The admin's pages of consult; importing a module registers them."""

from consult.admin import centres, consultations, prescriptions, room, voices

__all__ = ["centres", "consultations", "prescriptions", "room", "voices"]
