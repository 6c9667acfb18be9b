"""The admin's pages of consult; importing a module registers them."""

from consult.admin import calls, consultations, prescriptions, room, voices

__all__ = ["calls", "consultations", "prescriptions", "room", "voices"]
